#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/// Typed doors into libcurl's variadic functions, which Swift cannot see.
/// One per C argument type; no logic.

typedef size_t (*curl_bytes_fn)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);
typedef int (*curl_ready_fn)(void *_Nullable context, char *_Nullable address, char *_Nullable own, int port, int own_port);
typedef int (*curl_offset_fn)(void *_Nullable context, curl_off_t offset, int origin);

static inline CURLcode curl_easy_setopt_long(CURL *_Nonnull h, CURLoption o, long v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode curl_easy_setopt_offset(CURL *_Nonnull h, CURLoption o, curl_off_t v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode curl_easy_setopt_text(CURL *_Nonnull h, CURLoption o, const char *_Nullable v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode curl_easy_setopt_list(CURL *_Nonnull h, CURLoption o, struct curl_slist *_Nullable v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode curl_easy_setopt_pointer(CURL *_Nonnull h, CURLoption o, void *_Nullable v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode curl_easy_setopt_bytes_fn(CURL *_Nonnull h, CURLoption o, curl_bytes_fn _Nonnull f) {
    return curl_easy_setopt(h, o, f);
}
static inline CURLcode curl_easy_setopt_offset_fn(CURL *_Nonnull h, CURLoption o, curl_offset_fn _Nonnull f) {
    return curl_easy_setopt(h, o, f);
}
static inline CURLcode curl_easy_setopt_ready_fn(CURL *_Nonnull h, CURLoption o, curl_ready_fn _Nonnull f) {
    return curl_easy_setopt(h, o, f);
}
static inline CURLcode curl_easy_getinfo_long(CURL *_Nonnull h, CURLINFO i, long *_Nonnull v) {
    return curl_easy_getinfo(h, i, v);
}
static inline CURLcode curl_easy_getinfo_offset(CURL *_Nonnull h, CURLINFO i, curl_off_t *_Nonnull v) {
    return curl_easy_getinfo(h, i, v);
}
static inline CURLMcode curl_multi_setopt_long(CURLM *_Nonnull m, CURLMoption o, long v) {
    return curl_multi_setopt(m, o, v);
}
/// The union in `CURLMsg`, whose other member libcurl never uses.
static inline CURLcode curl_message_result(const CURLMsg *_Nonnull m) {
    return m->data.result;
}
