package api

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
)

// s3Action returns the action that a request for S3 asks for, of a bucket in the path: GetObject or HeadBucket.
func s3Action(r *http.Request) (action, bool) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.Method == http.MethodHead && bucket != "" && key == "" {
		return headBucket(bucket), len(r.URL.Query()) == 0
	}
	return getObject(r, bucket, key)
}

// headBucket tells whether there is a bucket, with s3:ListBucket (S3 API reference, HeadBucket).
func headBucket(bucket string) action {
	return func(a *api, s iam.Session, _ []byte) (any, error) {
		return struct{}{}, s3Fault(a.Objects.Inspect(s, bucket, "", "s3:ListBucket"))
	}
}

// getObject returns GetObject of the current version or another one, and of the whole object.
func getObject(r *http.Request, bucket, key string) (action, bool) {
	query := r.URL.Query()
	version := query.Get("versionId")
	query.Del("versionId")
	if query.Get("x-id") == "GetObject" { // how SDKs say it
		query.Del("x-id")
	}
	partial := slices.ContainsFunc([]string{"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"},
		func(name string) bool { return r.Header.Get(name) != "" })
	get := func(a *api, s iam.Session, _ []byte) (any, error) {
		o, err := a.Objects.Open(s, bucket, key, version)
		return o, s3Fault(err)
	}
	return get, r.Method == http.MethodGet && bucket != "" && key != "" && len(query) == 0 && !partial
}

// s3Protocol is S3's protocol: an object as it is, and errors as XML.
type s3Protocol struct{ requestID, resource string }

func (p s3Protocol) write(w http.ResponseWriter, answer any) {
	h := w.Header()
	h.Set("x-amz-request-id", p.requestID)
	o, ok := answer.(s3.Object)
	if !ok {
		return // of HeadBucket nothing else is told
	}
	defer o.Close()
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", "binary/octet-stream") // S3's default; the store has no other
	h.Set("Content-Length", strconv.FormatInt(o.Size, 10))
	h.Set("ETag", o.ETag)
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("x-amz-server-side-encryption", "AES256")
	if o.KMSKey != "" {
		h.Set("x-amz-server-side-encryption", "aws:kms")
		h.Set("x-amz-server-side-encryption-aws-kms-key-id", o.KMSKey)
	}
	if o.Versioned {
		h.Set("x-amz-version-id", o.ID)
	}
	io.Copy(w, o) // a client that goes away is no error
}

// s3Errors are S3's names and statuses (S3 API Reference, "Error responses") of what all services have another name
// for, and the statuses of its own.
var s3Errors = map[string]struct {
	code   string
	status int
}{
	"ExpiredTokenException":               {"ExpiredToken", http.StatusBadRequest},
	"IncompleteSignatureException":        {"AuthorizationHeaderMalformed", http.StatusBadRequest},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", http.StatusForbidden},
	"MissingAuthenticationTokenException": {"AccessDenied", http.StatusForbidden},
	"UnknownOperationException":           {"NotImplemented", http.StatusNotImplemented},
	"UnrecognizedClientException":         {"InvalidAccessKeyId", http.StatusForbidden},
	"AccessDenied":                        {"AccessDenied", http.StatusForbidden},
	"NoSuchBucket":                        {"NoSuchBucket", http.StatusNotFound},
	"NoSuchKey":                           {"NoSuchKey", http.StatusNotFound},
	"NoSuchVersion":                       {"NoSuchVersion", http.StatusNotFound},
	"KeyTooLongError":                     {"KeyTooLongError", http.StatusBadRequest},
}

// s3Fault returns an error of the store in S3's words.
func s3Fault(err error) error {
	var denied *iam.DeniedError
	switch {
	case errors.As(err, &denied):
		return fault{"AccessDenied", denied.Error()}
	case errors.Is(err, s3.ErrNoSuchBucket):
		return fault{"NoSuchBucket", "The specified bucket does not exist"}
	case errors.Is(err, s3.ErrNoSuchKey):
		return fault{"NoSuchKey", "The specified key does not exist."}
	case errors.Is(err, s3.ErrNoSuchVersion):
		return fault{"NoSuchVersion", "The specified version does not exist."}
	case errors.Is(err, s3.ErrInvalidKey):
		return fault{"KeyTooLongError", "Your key is too long"}
	}
	return err
}

func (p s3Protocol) writeError(w http.ResponseWriter, f fault) {
	known, ok := s3Errors[f.code]
	if !ok {
		known.code, known.status = "InternalError", http.StatusInternalServerError
	}
	w.Header().Set("x-amz-request-id", p.requestID)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(known.status)
	io.WriteString(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName                 xml.Name `xml:"Error"`
		Code, Message, Resource string
		RequestID               string `xml:"RequestId"`
	}{Code: known.code, Message: f.message, Resource: p.resource, RequestID: p.requestID})
}
