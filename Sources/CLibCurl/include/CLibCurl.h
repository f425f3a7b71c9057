#ifndef RECONCILER_CLIBCURL_H
#define RECONCILER_CLIBCURL_H

#include <curl/curl.h>

// libcurl, opened by `reconciler_curl_global_init` and not before: it brings some thirty libraries with it, which take a third of the
// time that a small command takes to start, and many a command asks nobody. Its functions are called through these here.

typedef size_t (*reconciler_curl_data_callback)(char *data, size_t size, size_t count, void *context);

// Opens and prepares the library; comes before every other call. Without the library it ends the process as the loader would (127).
void reconciler_curl_global_init(void);

// The option functions are variadic, which Swift cannot call: one function for each type of argument.
CURLcode reconciler_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode reconciler_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode reconciler_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode reconciler_curl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode reconciler_curl_set_callback(CURL *handle, CURLoption option, reconciler_curl_data_callback value);
// The bytes are copied by libcurl.
CURLcode reconciler_curl_set_blob(CURL *handle, CURLoption option, const void *data, size_t length);
CURLcode reconciler_curl_allow_http_only(CURL *handle);
CURLMcode reconciler_curl_multi_set_long(CURLM *multi, CURLMoption option, long value);
long reconciler_curl_get_long(CURL *handle, CURLINFO info);
void *reconciler_curl_get_private(CURL *handle);

CURL *reconciler_curl_easy_init(void);
void reconciler_curl_easy_cleanup(CURL *handle);
void reconciler_curl_easy_reset(CURL *handle);
CURLcode reconciler_curl_easy_pause(CURL *handle, int what);
const char *reconciler_curl_easy_strerror(CURLcode code);
CURLM *reconciler_curl_multi_init(void);
void reconciler_curl_multi_cleanup(CURLM *multi);
CURLMcode reconciler_curl_multi_add_handle(CURLM *multi, CURL *handle);
CURLMcode reconciler_curl_multi_remove_handle(CURLM *multi, CURL *handle);
CURLMcode reconciler_curl_multi_perform(CURLM *multi, int *running);
// `ready`: how many descriptors something happened to.
CURLMcode reconciler_curl_multi_poll(CURLM *multi, int milliseconds, int *ready);
CURLMcode reconciler_curl_multi_wakeup(CURLM *multi);
CURLMsg *reconciler_curl_multi_info_read(CURLM *multi, int *left);
const char *reconciler_curl_multi_strerror(CURLMcode code);
struct curl_slist *reconciler_curl_slist_append(struct curl_slist *list, const char *text);
void reconciler_curl_slist_free_all(struct curl_slist *list);

// The result of a finished transfer; the union is not visible to Swift.
static inline CURLcode reconciler_curl_message_result(const CURLMsg *message) { return message->data.result; }

// Values that are macros or enumerations which Swift imports awkwardly.
static inline size_t reconciler_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }

#endif
