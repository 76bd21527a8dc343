//  Signatures with secrets, on vectors that others have published: RFC 1321, 4231,
//  7515, FIPS 180-2, and McGrew and Viega's "The Galois/Counter Mode of Operation".

#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include "base/text.h"
#include "host/seal.h"
#include "promise.h"

//  RFC 7515, appendix A.2: the key is public knowledge and signs nothing but this test.
#define RSA_PRIVATE                                                      \
    "-----BEGIN PRIVATE KEY-----\n"                                      \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n" \
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n" \
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n" \
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n" \
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n" \
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n" \
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n" \
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n" \
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n" \
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n" \
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n" \
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n" \
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n" \
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n" \
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n" \
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n" \
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n" \
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n" \
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n" \
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n" \
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n" \
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n" \
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n" \
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n" \
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n" \
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"                                         \
    "-----END PRIVATE KEY-----\n"
#define RSA_PUBLIC                                                       \
    "-----BEGIN PUBLIC KEY-----\n"                                       \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n" \
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n" \
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n" \
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n" \
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n" \
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n" \
    "oQIDAQAB\n"                                                         \
    "-----END PUBLIC KEY-----\n"
#define RSA_TEXT                                                                    \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6" \
    "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RSA_SIGNATURE                                                  \
    "702e218943e88fd11eb5d82dbf7845f34106ae1b81fff7731116add1717d8365" \
    "6d420afd3c96eedd73a2663e5166687b000b87226e0187ed1073f945e582adfc" \
    "ef16d85a798ee8c66ddb3db8975b17d09402beedd5d9d97007108db28160d5f8" \
    "040ca7445762b81fbe7ff9d92e0ae76f24f25b33bbe6f44ae61eb1040acb2004" \
    "4d3ef9128ed40130795bd4bd3b41eecad066ab651981fde48df77f372dc38b9f" \
    "afdd3befb18b5da3cc3c2eb02f9e3a41d612caad15911273a05f23b9e838faaf" \
    "849d698429ef5a1e88798236c3d40e604522a544c8f27a7a2db80663d16cf7ca" \
    "ea56de405cb2215a45b2c25566b55ac1a748a070dfc8a32a469543d019eefb47"

#define A20 "aaaaaaaaaaaaaaaaaaaa"

// clang-format off
//  `secret` and `signature` in hex; a NULL secret is a seal without a key.
static const struct {
    const char *promise;
    pb_algorithm_t algorithm;
    const char *before, *secret, *after;
    const char *signature;
} vectors[] = {
    {"MD5 of nothing", PB_MD5, "", NULL, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {"MD5: before, secret, after", PB_MD5, "mess", "61676520", "digest",
     "f96b697d7cb7938d525a2f31aaf161d0"},
    {"SHA-256: before, secret, after", PB_SHA256, "a", "62", "c",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"HMAC-SHA-256, RFC 4231 case 1", PB_HMAC_SHA256, "Hi ",
     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"HMAC-SHA-256, RFC 4231 case 2", PB_HMAC_SHA256, "what do ya want for nothing?",
     "4a656665", "",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"HMAC-SHA-256, RFC 4231 case 6: a key longer than a block", PB_HMAC_SHA256,
     "Test Using Larger Than Block-Size Key - Hash Key First",
     A20 A20 A20 A20 A20 A20 A20 A20 A20 A20 A20 A20 A20 "aa", "",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};
// clang-format on

static pb_bytes_t
s_bytes (const char *text)
{
    return (pb_bytes_t){text, strlen (text)};
}

//  A key of one or two secrets as bytes.
static options_key_t
s_key (const char *first, size_t first_size, const char *second, size_t second_size)
{
    options_key_t key = {.count = second ? 2 : 1};
    key.secrets[0] = (char *) (uintptr_t) first;
    key.sizes[0] = first_size;
    key.secrets[1] = (char *) (uintptr_t) second;
    key.sizes[1] = second_size;
    return key;
}

static options_key_t
s_text_key (const char *first, const char *second)
{
    return s_key (first, strlen (first), second, second ? strlen (second) : 0);
}

static void
s_check_vectors (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (vectors); i++) {
        char secret[256] = "", hex[129] = "";
        int size = vectors[i].secret
                       ? hex_decode (vectors[i].secret, strlen (vectors[i].secret),
                                     secret, sizeof secret)
                       : 0;
        options_key_t key = s_key (secret, (size_t) size, NULL, 0);
        pb_seal_t seal = {sizeof seal, vectors[i].algorithm,
                          vectors[i].secret ? "key" : NULL, s_bytes (vectors[i].before),
                          s_bytes (vectors[i].after)};
        unsigned char made[64];
        size_t length = sizeof made;
        int result =
            seal_sign (&seal, vectors[i].secret ? &key : NULL, made, &length, NULL);
        hex_encode (made, result == PB_OK ? length : 0, hex);
        promise (!strcmp (hex, vectors[i].signature), "%s", vectors[i].promise);

        bool good = seal_verify (&seal, &key, made, length, NULL) == PB_OK;
        bool bad = false;
        for (size_t at = 0; at < length; at++) {
            made[at] ^= 1;
            bad = bad || seal_verify (&seal, &key, made, length, NULL) != PB_AUTH;
            made[at] ^= 1;
        }
        bad = bad || seal_verify (&seal, &key, made, length - 1, NULL) != PB_AUTH
              || seal_verify (&seal, &key, made, 0, NULL) != PB_AUTH;
        promise (good && !bad, "%s: verified, and not with a byte changed or missing",
                 vectors[i].promise);
    }
}

static void
s_check_rsa (void)
{
    options_key_t ours = s_text_key (RSA_PRIVATE, NULL);
    options_key_t theirs = s_text_key (RSA_PUBLIC, NULL);
    options_key_t nonsense = s_text_key ("-----BEGIN NONSENSE-----", NULL);
    pb_seal_t seal = {sizeof seal, PB_RSA_SHA256, "rsa", s_bytes (RSA_TEXT),
                      s_bytes ("")};
    unsigned char made[512], wanted[256];
    char small[16];
    size_t length = sizeof made, room = sizeof small;
    pb_error_t error = {0};
    hex_decode (RSA_SIGNATURE, strlen (RSA_SIGNATURE), wanted, sizeof wanted);
    promise (seal_sign (&seal, &ours, made, &length, NULL) == PB_OK
                 && length == sizeof wanted && !memcmp (made, wanted, length),
             "RSA-SHA-256 signs as RFC 7515 A.2 does");
    promise (seal_verify (&seal, &theirs, wanted, sizeof wanted, NULL) == PB_OK,
             "and verifies with the public key");
    wanted[7] ^= 1;
    promise (seal_verify (&seal, &theirs, wanted, sizeof wanted, NULL) == PB_AUTH,
             "but not what was changed");
    promise (seal_sign (&seal, &theirs, made, &length, &error) == PB_CONFIG
                 && strstr (error.message, "`rsa`"),
             "a public key cannot sign: says which key");
    promise (seal_verify (&seal, &nonsense, wanted, sizeof wanted, &error) == PB_CONFIG
                 && !strstr (error.message, "NONSENSE"),
             "a secret that is no PEM: the sentence does not show it");
    promise (seal_sign (&seal, &ours, small, &room, NULL) == PB_BUG && room == 256,
             "too little room: says how much it takes");
}

static void
s_check_rotation (void)
{
    options_key_t before = s_text_key ("old", NULL);
    options_key_t during = s_text_key ("new", "old");
    options_key_t after = s_text_key ("new", NULL);
    pb_seal_t seal = {sizeof seal, PB_MD5, "key", s_bytes ("a=1&key="), s_bytes ("")};
    unsigned char by_old[16], by_both[16];
    size_t size = 16;
    seal_sign (&seal, &before, by_old, &size, NULL);
    seal_sign (&seal, &during, by_both, &size, NULL);
    promise (seal_verify (&seal, &during, by_old, 16, NULL) == PB_OK,
             "during a rotation the old secret still verifies");
    promise (seal_verify (&seal, &after, by_both, 16, NULL) == PB_OK,
             "and the first one signs");
    promise (seal_verify (&seal, &after, by_old, 16, NULL) == PB_AUTH,
             "after it the old one is refused");
}

// clang-format off
//  Secret, nonce, text, tag and `after` in hex.
static const struct {
    const char *promise;
    const char *secret, *sealed, *after;
    const char *text; //  NULL: refused
    int result;
} opened[] = {
    {"GCM test case 13: nothing inside",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000" "530f8afbc74536b9a963b4f1c4cb738b", "", "", PB_OK},
    {"GCM test case 14",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000" "cea7403d4d606b6e074ec5d3baf39d18"
     "d0d1c8a799996bf0265b98b5d48ab919", "", "00000000000000000000000000000000", PB_OK},
    {"GCM test case 16: with authenticated bytes",
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888"
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39", PB_OK},
    {"other authenticated bytes",
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888"
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b", "feedface", NULL, PB_AUTH},
    {"a text that was changed",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000" "cea7403d4d606b6e074ec5d3baf39d19"
     "d0d1c8a799996bf0265b98b5d48ab919", "", NULL, PB_AUTH},
    {"a tag that was changed",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000" "cea7403d4d606b6e074ec5d3baf39d18"
     "d0d1c8a799996bf0265b98b5d48ab918", "", NULL, PB_AUTH},
    {"too short for nonce and tag",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", NULL, PB_BADMSG},
    {"a secret that is no AES-256 key", "000000",
     "00000000000000000000000000000000" "000000000000000000000000", "", NULL,
     PB_CONFIG},
};
// clang-format on

static void
s_check_open (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (opened); i++) {
        char sealed[256], after[256], out[256], hex[513] = "";
        int size = hex_decode (opened[i].sealed, strlen (opened[i].sealed), sealed,
                               sizeof sealed);
        int extra =
            hex_decode (opened[i].after, strlen (opened[i].after), after, sizeof after);
        pb_seal_t seal = {
            sizeof seal,
            PB_AES_GCM,
            "aes",
            {sealed, (uint64_t) size },
            {after,  (uint64_t) extra}
        };
        options_key_t key =
            s_text_key ("0123456789abcdef0123456789abcdef", opened[i].secret);
        if (opened[i].result == PB_CONFIG)
            key = s_text_key (opened[i].secret, NULL);
        size_t length = sizeof out;
        int result = seal_open (&seal, &key, out, &length, NULL);
        hex_encode (out, result == PB_OK ? length : 0, hex);
        promise (result == opened[i].result
                     && (!opened[i].text || !strcmp (hex, opened[i].text)),
                 "%s", opened[i].promise);
    }
}

//  What a plugin can ask for that cannot be.
static void
s_check_misuse (void)
{
    unsigned char made[64];
    size_t size = sizeof made;
    pb_error_t error = {0};
    options_key_t key = s_text_key ("s", NULL);
    pb_seal_t seal = {sizeof seal, PB_MD5, "appsecret", s_bytes (""), s_bytes ("")};
    promise (seal_sign (&seal, NULL, made, &size, &error) == PB_CONFIG
                 && strstr (error.message, "there is no key `appsecret`"),
             "an unknown key is PB_CONFIG and named");
    promise (seal_verify (&seal, NULL, made, 16, NULL) == PB_CONFIG,
             "an unknown key verifies nothing");
    seal.algorithm = 77;
    promise (seal_sign (&seal, &key, made, &size, NULL) == PB_BUG,
             "an unknown algorithm is PB_BUG");
    seal.algorithm = PB_AES_GCM;
    promise (seal_sign (&seal, &key, made, &size, NULL) == PB_BUG,
             "AES-GCM does not sign");
    seal.algorithm = PB_MD5;
    promise (seal_open (&seal, &key, made, &size, NULL) == PB_BUG, "MD5 does not open");
    seal.algorithm = PB_HMAC_SHA256;
    seal.key = NULL;
    promise (seal_sign (&seal, NULL, made, &size, NULL) == PB_BUG,
             "HMAC without a key is PB_BUG");
}

static void *
s_sign_often (void *arg)
{
    bool *same = arg;
    options_key_t key = s_text_key ("Jefe", NULL);
    pb_seal_t seal = {sizeof seal, PB_HMAC_SHA256, "key",
                      s_bytes ("what do ya want for nothing?"), s_bytes ("")};
    for (int i = 0; i < 500; i++) {
        unsigned char made[32];
        size_t size = sizeof made;
        seal_sign (&seal, &key, made, &size, NULL);
        *same = *same && made[0] == 0x5b && made[31] == 0x43;
    }
    return NULL;
}

static void
s_check_threads (void)
{
    pthread_t threads[4];
    bool same[4] = {true, true, true, true};
    for (size_t i = 0; i < 4; i++)
        pthread_create (&threads[i], NULL, s_sign_often, &same[i]);
    for (size_t i = 0; i < 4; i++)
        pthread_join (threads[i], NULL);
    promise (same[0] && same[1] && same[2] && same[3], "instances sign side by side");
}

int
main (void)
{
    s_check_threads ();
    s_check_vectors ();
    s_check_rsa ();
    s_check_rotation ();
    s_check_open ();
    s_check_misuse ();
    return promises_kept ();
}
