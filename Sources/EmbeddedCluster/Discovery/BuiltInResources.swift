/// The built-in resources, as a Kubernetes 1.36 API server's discovery lists them: groups and resources in its order.
///
/// One resource a line: group/version, plural, singular, kind, scope, verbs (c create, d delete, D deletecollection, g get, l list,
/// p patch, u update, w watch), short names, categories, storage version hash, then `subresource:kind:verbs`.
enum BuiltInResources {
    static let lines: StaticString = """
        v1 bindings binding Binding Namespaced c - - -
        v1 componentstatuses componentstatus ComponentStatus Cluster gl cs - -
        v1 configmaps configmap ConfigMap Namespaced cdDglpuw cm - qFsyl6wFWjQ=
        v1 endpoints endpoints Endpoints Namespaced cdDglpuw ep - fWeeMqaN/OA=
        v1 events event Event Namespaced cdDglpuw ev - r2yiGXH7wu8=
        v1 limitranges limitrange LimitRange Namespaced cdDglpuw limits - EBKMFVe6cwo=
        v1 namespaces namespace Namespace Cluster cdglpuw ns - Q3oi5N2YM8M= finalize:Namespace:u status:Namespace:gpu
        v1 nodes node Node Cluster cdDglpuw no - XwShjMxG9Fs= proxy:NodeProxyOptions:cdgpu status:Node:gpu
        v1 persistentvolumeclaims persistentvolumeclaim PersistentVolumeClaim Namespaced cdDglpuw pvc - QWTyNDq0dC4= status:PersistentVolumeClaim:gpu
        v1 persistentvolumes persistentvolume PersistentVolume Cluster cdDglpuw pv - HN/zwEC+JgM= status:PersistentVolume:gpu
        v1 pods pod Pod Namespaced cdDglpuw po all xPOwRZ+Yhw8= attach:PodAttachOptions:cg binding:Binding:c ephemeralcontainers:Pod:gpu eviction:policy/v1/Eviction:c exec:PodExecOptions:cg log:Pod:g portforward:PodPortForwardOptions:cg proxy:PodProxyOptions:cdgpu resize:Pod:gpu status:Pod:gpu
        v1 podtemplates podtemplate PodTemplate Namespaced cdDglpuw - - LIXB2x4IFpk=
        v1 replicationcontrollers replicationcontroller ReplicationController Namespaced cdDglpuw rc all Jond2If31h0= scale:autoscaling/v1/Scale:gpu status:ReplicationController:gpu
        v1 resourcequotas resourcequota ResourceQuota Namespaced cdDglpuw quota - 8uhSgffRX6w= status:ResourceQuota:gpu
        v1 secrets secret Secret Namespaced cdDglpuw - - S6u1pOWzb84=
        v1 serviceaccounts serviceaccount ServiceAccount Namespaced cdDglpuw sa - pbx9ZvyFpBE= token:authentication.k8s.io/v1/TokenRequest:c
        v1 services service Service Namespaced cdDglpuw svc all 0/CO1lhkEBI= proxy:ServiceProxyOptions:cdgpu status:Service:gpu
        apiregistration.k8s.io/v1 apiservices apiservice APIService Cluster cdDglpuw - api-extensions - status:APIService:gpu
        apps/v1 controllerrevisions controllerrevision ControllerRevision Namespaced cdDglpuw - - 85nkx63pcBU=
        apps/v1 daemonsets daemonset DaemonSet Namespaced cdDglpuw ds all dd7pWHUlMKQ= status:DaemonSet:gpu
        apps/v1 deployments deployment Deployment Namespaced cdDglpuw deploy all 8aSe+NMegvE= scale:autoscaling/v1/Scale:gpu status:Deployment:gpu
        apps/v1 replicasets replicaset ReplicaSet Namespaced cdDglpuw rs all P1RzHs8/mWQ= scale:autoscaling/v1/Scale:gpu status:ReplicaSet:gpu
        apps/v1 statefulsets statefulset StatefulSet Namespaced cdDglpuw sts all H+vl74LkKdo= scale:autoscaling/v1/Scale:gpu status:StatefulSet:gpu
        events.k8s.io/v1 events event Event Namespaced cdDglpuw ev - -
        authentication.k8s.io/v1 selfsubjectreviews selfsubjectreview SelfSubjectReview Cluster c - - -
        authentication.k8s.io/v1 tokenreviews tokenreview TokenReview Cluster c - - -
        authorization.k8s.io/v1 localsubjectaccessreviews localsubjectaccessreview LocalSubjectAccessReview Namespaced c - - -
        authorization.k8s.io/v1 selfsubjectaccessreviews selfsubjectaccessreview SelfSubjectAccessReview Cluster c - - -
        authorization.k8s.io/v1 selfsubjectrulesreviews selfsubjectrulesreview SelfSubjectRulesReview Cluster c - - -
        authorization.k8s.io/v1 subjectaccessreviews subjectaccessreview SubjectAccessReview Cluster c - - -
        autoscaling/v2 horizontalpodautoscalers horizontalpodautoscaler HorizontalPodAutoscaler Namespaced cdDglpuw hpa all qwQve8ut294= status:HorizontalPodAutoscaler:gpu
        autoscaling/v1 horizontalpodautoscalers horizontalpodautoscaler HorizontalPodAutoscaler Namespaced cdDglpuw hpa all - status:HorizontalPodAutoscaler:gpu
        batch/v1 cronjobs cronjob CronJob Namespaced cdDglpuw cj all sd5LIXh4Fjs= status:CronJob:gpu
        batch/v1 jobs job Job Namespaced cdDglpuw - all mudhfqk/qZY= status:Job:gpu
        certificates.k8s.io/v1 certificatesigningrequests certificatesigningrequest CertificateSigningRequest Cluster cdDglpuw csr - - approval:CertificateSigningRequest:gpu status:CertificateSigningRequest:gpu
        networking.k8s.io/v1 ingressclasses ingressclass IngressClass Cluster cdDglpuw - - l/iqIbDgFyQ=
        networking.k8s.io/v1 ingresses ingress Ingress Namespaced cdDglpuw ing - 39NQlfNR+bo= status:Ingress:gpu
        networking.k8s.io/v1 ipaddresses ipaddress IPAddress Cluster cdDglpuw ip - 3f/plJFChNE=
        networking.k8s.io/v1 networkpolicies networkpolicy NetworkPolicy Namespaced cdDglpuw netpol - YpfwF18m1G8=
        networking.k8s.io/v1 servicecidrs servicecidr ServiceCIDR Cluster cdDglpuw - - gNLvruQhW2g= status:ServiceCIDR:gpu
        policy/v1 poddisruptionbudgets poddisruptionbudget PodDisruptionBudget Namespaced cdDglpuw pdb - EVWiDmWqyJw= status:PodDisruptionBudget:gpu
        rbac.authorization.k8s.io/v1 clusterrolebindings clusterrolebinding ClusterRoleBinding Cluster cdDglpuw - - 48tpQ8gZHFc=
        rbac.authorization.k8s.io/v1 clusterroles clusterrole ClusterRole Cluster cdDglpuw - - bYE5ZWDrJ44=
        rbac.authorization.k8s.io/v1 rolebindings rolebinding RoleBinding Namespaced cdDglpuw - - eGsCzGH6b1g=
        rbac.authorization.k8s.io/v1 roles role Role Namespaced cdDglpuw - - 7FuwZcIIItM=
        storage.k8s.io/v1 csidrivers csidriver CSIDriver Cluster cdDglpuw - - hL6j/rwBV5w=
        storage.k8s.io/v1 csinodes csinode CSINode Cluster cdDglpuw - - Pe62DkZtjuo=
        storage.k8s.io/v1 csistoragecapacities csistoragecapacity CSIStorageCapacity Namespaced cdDglpuw - - xeVl+2Ly1kE=
        storage.k8s.io/v1 storageclasses storageclass StorageClass Cluster cdDglpuw sc - K+m6uJwbjGY=
        storage.k8s.io/v1 volumeattachments volumeattachment VolumeAttachment Cluster cdDglpuw - - tJx/ezt6UDU= status:VolumeAttachment:gpu
        storage.k8s.io/v1 volumeattributesclasses volumeattributesclass VolumeAttributesClass Cluster cdDglpuw vac - tIjydgKBC5w=
        admissionregistration.k8s.io/v1 mutatingadmissionpolicies mutatingadmissionpolicy MutatingAdmissionPolicy Cluster cdDglpuw - api-extensions -
        admissionregistration.k8s.io/v1 mutatingadmissionpolicybindings mutatingadmissionpolicybinding MutatingAdmissionPolicyBinding Cluster cdDglpuw - api-extensions -
        admissionregistration.k8s.io/v1 mutatingwebhookconfigurations mutatingwebhookconfiguration MutatingWebhookConfiguration Cluster cdDglpuw - api-extensions -
        admissionregistration.k8s.io/v1 validatingadmissionpolicies validatingadmissionpolicy ValidatingAdmissionPolicy Cluster cdDglpuw - api-extensions - status:ValidatingAdmissionPolicy:gpu
        admissionregistration.k8s.io/v1 validatingadmissionpolicybindings validatingadmissionpolicybinding ValidatingAdmissionPolicyBinding Cluster cdDglpuw - api-extensions -
        admissionregistration.k8s.io/v1 validatingwebhookconfigurations validatingwebhookconfiguration ValidatingWebhookConfiguration Cluster cdDglpuw - api-extensions -
        apiextensions.k8s.io/v1 customresourcedefinitions customresourcedefinition CustomResourceDefinition Cluster cdDglpuw crd,crds api-extensions jfWCUB31mvA= status:CustomResourceDefinition:gpu
        scheduling.k8s.io/v1 priorityclasses priorityclass PriorityClass Cluster cdDglpuw pc - -
        coordination.k8s.io/v1 leases lease Lease Namespaced cdDglpuw - - gqkMMb/YqFM=
        node.k8s.io/v1 runtimeclasses runtimeclass RuntimeClass Cluster cdDglpuw - - -
        discovery.k8s.io/v1 endpointslices endpointslice EndpointSlice Namespaced cdDglpuw - - qgS0xkrxYAI=
        resource.k8s.io/v1 deviceclasses deviceclass DeviceClass Cluster cdDglpuw - - -
        resource.k8s.io/v1 resourceclaims resourceclaim ResourceClaim Namespaced cdDglpuw - - - status:ResourceClaim:gpu
        resource.k8s.io/v1 resourceclaimtemplates resourceclaimtemplate ResourceClaimTemplate Namespaced cdDglpuw - - -
        resource.k8s.io/v1 resourceslices resourceslice ResourceSlice Cluster cdDglpuw - - -
        flowcontrol.apiserver.k8s.io/v1 flowschemas flowschema FlowSchema Cluster cdDglpuw - - - status:FlowSchema:gpu
        flowcontrol.apiserver.k8s.io/v1 prioritylevelconfigurations prioritylevelconfiguration PriorityLevelConfiguration Cluster cdDglpuw - - - status:PriorityLevelConfiguration:gpu
        """
}
