#include "CLibCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

// The parentheses step around curl's type-checking macros.
#define FUNCTIONS(F)                                                                                                                \
    F(global_init) F(easy_init) F(easy_cleanup) F(easy_reset) F(easy_pause) F(easy_strerror) F(easy_setopt) F(easy_getinfo)         \
    F(multi_init) F(multi_cleanup) F(multi_add_handle) F(multi_remove_handle) F(multi_perform) F(multi_poll) F(multi_wakeup)        \
    F(multi_info_read) F(multi_strerror) F(multi_setopt) F(slist_append) F(slist_free_all)

#define DECLARE(name) __typeof__((curl_##name)) *name;
static struct {
    FUNCTIONS(DECLARE)
} curl;

static void give_up(void) {
    fprintf(stderr, "reconciler: %s (libcurl 7.66 or newer is needed: apt-get install libcurl4)\n", dlerror());
    _exit(127);
}

static void open_library(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) give_up();
#define FIND(name)                                                                                                                  \
    *(void **)&curl.name = dlsym(library, "curl_" #name);                                                                           \
    if (!curl.name) give_up();
    FUNCTIONS(FIND)
    curl.global_init(CURL_GLOBAL_DEFAULT);
}

void reconciler_curl_global_init(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_library);
}

CURLcode reconciler_curl_set_long(CURL *handle, CURLoption option, long value) { return curl.easy_setopt(handle, option, value); }

CURLcode reconciler_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) { return curl.easy_setopt(handle, option, value); }

CURLcode reconciler_curl_set_string(CURL *handle, CURLoption option, const char *value) { return curl.easy_setopt(handle, option, value); }

CURLcode reconciler_curl_set_pointer(CURL *handle, CURLoption option, void *value) { return curl.easy_setopt(handle, option, value); }

CURLcode reconciler_curl_set_callback(CURL *handle, CURLoption option, reconciler_curl_data_callback value) {
    return curl.easy_setopt(handle, option, value);
}

CURLcode reconciler_curl_set_blob(CURL *handle, CURLoption option, const void *data, size_t length) {
    struct curl_blob blob = {(void *)data, length, CURL_BLOB_COPY};
    return curl.easy_setopt(handle, option, &blob);
}

// CURLOPT_PROTOCOLS_STR came with 7.85; its predecessor is deprecated since.
CURLcode reconciler_curl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl.easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

CURLMcode reconciler_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return curl.multi_setopt(multi, option, value); }

long reconciler_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    curl.easy_getinfo(handle, info, &value);
    return value;
}

void *reconciler_curl_get_private(CURL *handle) {
    char *value = 0;
    curl.easy_getinfo(handle, CURLINFO_PRIVATE, &value);
    return value;
}

CURL *reconciler_curl_easy_init(void) { return curl.easy_init(); }
void reconciler_curl_easy_cleanup(CURL *handle) { curl.easy_cleanup(handle); }
void reconciler_curl_easy_reset(CURL *handle) { curl.easy_reset(handle); }
CURLcode reconciler_curl_easy_pause(CURL *handle, int what) { return curl.easy_pause(handle, what); }
const char *reconciler_curl_easy_strerror(CURLcode code) { return curl.easy_strerror(code); }
CURLM *reconciler_curl_multi_init(void) { return curl.multi_init(); }
void reconciler_curl_multi_cleanup(CURLM *multi) { curl.multi_cleanup(multi); }
CURLMcode reconciler_curl_multi_add_handle(CURLM *multi, CURL *handle) { return curl.multi_add_handle(multi, handle); }
CURLMcode reconciler_curl_multi_remove_handle(CURLM *multi, CURL *handle) { return curl.multi_remove_handle(multi, handle); }
CURLMcode reconciler_curl_multi_perform(CURLM *multi, int *running) { return curl.multi_perform(multi, running); }
CURLMcode reconciler_curl_multi_poll(CURLM *multi, int milliseconds, int *ready) { return curl.multi_poll(multi, 0, 0, milliseconds, ready); }
CURLMcode reconciler_curl_multi_wakeup(CURLM *multi) { return curl.multi_wakeup(multi); }
CURLMsg *reconciler_curl_multi_info_read(CURLM *multi, int *left) { return curl.multi_info_read(multi, left); }
const char *reconciler_curl_multi_strerror(CURLMcode code) { return curl.multi_strerror(code); }
struct curl_slist *reconciler_curl_slist_append(struct curl_slist *list, const char *text) { return curl.slist_append(list, text); }
void reconciler_curl_slist_free_all(struct curl_slist *list) { curl.slist_free_all(list); }
