#ifndef RECONCILER_CLIBCURL_SHIM_H
#define RECONCILER_CLIBCURL_SHIM_H

#include <curl/curl.h>

// libcurl's option functions are variadic, which Swift cannot call: one function for each type of argument. The parentheses
// around the names step around curl's type-checking macros.

typedef size_t (*reconciler_curl_data_callback)(char *data, size_t size, size_t count, void *context);

static inline CURLcode reconciler_curl_set_long(CURL *handle, CURLoption option, long value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode reconciler_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode reconciler_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode reconciler_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode reconciler_curl_set_callback(CURL *handle, CURLoption option, reconciler_curl_data_callback value) {
    return (curl_easy_setopt)(handle, option, value);
}

// The bytes are copied by libcurl.
static inline CURLcode reconciler_curl_set_blob(CURL *handle, CURLoption option, const void *data, size_t length) {
    struct curl_blob blob = {(void *)data, length, CURL_BLOB_COPY};
    return (curl_easy_setopt)(handle, option, &blob);
}

// CURLOPT_PROTOCOLS_STR came with 7.85; its predecessor is deprecated since.
static inline CURLcode reconciler_curl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return (curl_easy_setopt)(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return (curl_easy_setopt)(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline CURLMcode reconciler_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

static inline long reconciler_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    (curl_easy_getinfo)(handle, info, &value);
    return value;
}

static inline void *reconciler_curl_get_private(CURL *handle) {
    char *value = 0;
    (curl_easy_getinfo)(handle, CURLINFO_PRIVATE, &value);
    return value;
}

// The result of a finished transfer; the union is not visible to Swift.
static inline CURLcode reconciler_curl_message_result(const CURLMsg *message) { return message->data.result; }

// Values that are macros or enumerations which Swift imports awkwardly.
static inline size_t reconciler_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }
static inline void reconciler_curl_global_init(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
