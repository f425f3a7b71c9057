import CLibGit2
import Glibc
import ResourceModel

/// Every fetch that brings something leaves a pack: small ones are put together, so that years of polling do not leave thousands.
extension MirrorFiles {
    /// Puts small packs together when there are more than `limit`, unless somebody is fetching. No object is ever dropped, so
    /// who reads meanwhile finds everything. A failure changes nothing: there is always a next fetch.
    func consolidate(limit: Int) {
        guard MirrorFiles.names(in: directory + "/objects/pack").count(where: { $0.hasSuffix(".pack") }) > limit else { return }
        try? ifUnlocked {  // Only tidiness is lost.
            guard case .sound(let repository) = open() else { return }
            let packs = MirrorFiles.smallPacks(in: directory + "/objects/pack")
            if packs.count > 1 { try merge(packs, repository) }
        }
    }

    /// All but the packs that hold more than twice what all smaller ones hold together: so each object is written anew only a
    /// few times in a mirror's life, and a big first pack hardly ever.
    private static func smallPacks(in directory: String) -> [String] {
        var packs = names(in: directory).filter { $0.hasSuffix(".pack") }
            .map { (name: String($0.dropLast(5)), size: size(of: "\(directory)/\($0)")) }.sorted { $0.size < $1.size }
        while let last = packs.last, last.size > 2 * packs.dropLast().reduce(0, { $0 + $1.size }) { packs.removeLast() }
        return packs.map(\.name)
    }

    private func merge(_ packs: [String], _ repository: Repository) throws {
        let place = directory + "/objects/pack"
        var wanted: Set<String> = []
        var builder: OpaquePointer?
        try check(git_packbuilder_new(&builder, repository.handle))
        defer { git_packbuilder_free(builder) }
        for pack in packs {
            for id in try MirrorFiles.objectIDs(inPack: "\(place)/\(pack).idx") where wanted.insert(id).inserted {
                var oid = try git_oid(parsing: id)
                try check(git_packbuilder_insert(builder, &oid, nil))
            }
        }
        let before = Set(MirrorFiles.names(in: place))
        try check(git_packbuilder_write(builder, place, 0o444, nil, nil))
        let made = MirrorFiles.names(in: place).filter { $0.hasSuffix(".idx") && !before.contains($0) }
        // Only what is certainly in the new pack may go with the old ones.
        guard made.count == 1, wanted.isSubset(of: try MirrorFiles.objectIDs(inPack: "\(place)/\(made[0])")) else { return }
        try recordState(in: directory, dropping: Set(packs))
        for pack in packs {
            unlink("\(place)/\(pack).idx")
            unlink("\(place)/\(pack).pack")
        }
    }

    private static func objectIDs(inPack index: String) throws -> [String] {
        var backend: UnsafeMutablePointer<git_odb_backend>?
        var objects: OpaquePointer?
        try check(git_odb_new(&objects))
        defer { git_odb_free(objects) }
        try check(git_odb_backend_one_pack(&backend, index))
        try check(git_odb_add_backend(objects, backend, 1))
        var ids: [String] = []
        let code = withUnsafeMutablePointer(to: &ids) { ids in
            git_odb_foreach(
                objects,
                { oid, ids in
                    ids?.assumingMemoryBound(to: [String].self).pointee.append(oid!.pointee.text)
                    return 0
                }, ids)
        }
        try check(code)
        return ids
    }

    /// Gives the packs of a new mirror names that no pack before it had: libgit2 shares open packs in a process by their path,
    /// and a reader of the damaged mirror must not pass its pack on to readers of the new one.
    static func renamePacks(in directory: String) throws {
        let place = directory + "/objects/pack"
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for name in names(in: place) where name.hasSuffix(".pack") {
            let old = "\(place)/\(name.dropLast(5))"
            let new = "\(place)/pack-\(JSONValue.string("\(name) \(getpid()) \(now.tv_sec).\(now.tv_nsec)").digest.suffix(40))"
            for ending in [".idx", ".pack"] {
                guard rename(old + ending, new + ending) == 0 else { throw failure("rename", old + ending) }
            }
        }
    }
}
