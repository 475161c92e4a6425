package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Error is an ECR error with ECR's wording, as far as it is public (in its API reference and in issues that quote
// it). The API shows its Code; Docker's registry protocol has its own code.
type Error struct {
	// Code is the exception in ECR's API, such as "RepositoryNotFoundException"; "" for errors that only docker sees.
	Code string
	// Message is the text that both show.
	Message string

	status int    // HTTP status that docker sees
	docker string // error code that docker sees
}

func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return e.Code + ": " + e.Message
}

// Docker shows "denied" for DENIED, "tag invalid" for TAG_INVALID and so on, followed by the message.
var (
	errUnauthorized = &Error{Message: "Not Authorized", status: http.StatusUnauthorized, docker: "UNAUTHORIZED"}
	errTokenUnknown = &Error{Message: "Your authorization token is invalid: it is not one that GetAuthorizationToken issued.",
		status: http.StatusBadRequest, docker: "DENIED"}
	errTokenExpired = &Error{Message: "Your authorization token has expired. Reauthenticate and try again.",
		status: http.StatusForbidden, docker: "DENIED"}
	errManifestUnknown = &Error{Message: "Requested image not found", status: http.StatusNotFound, docker: "MANIFEST_UNKNOWN"}
)

func errDenied(cause error) *Error {
	return &Error{"AccessDeniedException", cause.Error(), http.StatusForbidden, "DENIED"}
}

func errUnsupported(r *http.Request) *Error {
	return &Error{Message: fmt.Sprintf("the rehearsal's registry does not serve %s %s", r.Method, r.URL.Path),
		status: http.StatusMethodNotAllowed, docker: "UNSUPPORTED"}
}

func errRepositoryNotFound(name, registryID string) *Error {
	return &Error{"RepositoryNotFoundException",
		fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", name, registryID),
		http.StatusNotFound, "NAME_UNKNOWN"}
}

func errImageNotFound(id ImageID, name, registryID string) *Error {
	return &Error{"ImageNotFoundException",
		fmt.Sprintf("The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'",
			id, name, registryID),
		http.StatusNotFound, "MANIFEST_UNKNOWN"}
}

func errTagExists(tag, name string) *Error {
	return &Error{"ImageTagAlreadyExistsException",
		fmt.Sprintf("The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.",
			tag, name),
		http.StatusBadRequest, "TAG_INVALID"}
}

func errLayersNotFound(digests []string, name, registryID string) *Error {
	return &Error{"LayersNotFoundException",
		fmt.Sprintf("Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
			strings.Join(digests, ", "), name, registryID),
		http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN"}
}

func errReferencedImagesNotFound(digests []string, name, registryID string) *Error {
	return &Error{"ReferencedImagesNotFoundException",
		fmt.Sprintf("Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
			strings.Join(digests, ", "), name, registryID),
		http.StatusNotFound, "MANIFEST_UNKNOWN"}
}

func errManifestInvalid(reason string) *Error {
	return &Error{"InvalidParameterException",
		fmt.Sprintf("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", reason),
		http.StatusMethodNotAllowed, "UNSUPPORTED"}
}

func errDigestMismatch(want, got string) *Error {
	return &Error{"ImageDigestDoesNotMatchException",
		fmt.Sprintf("The specified digest '%s' does not match the digest '%s' of the manifest", want, got),
		http.StatusBadRequest, "DIGEST_INVALID"}
}

func errLayerInvalid(want, got string) *Error {
	return &Error{"InvalidLayerException",
		fmt.Sprintf("The layer digest '%s' calculated upon receipt does not match the specified digest '%s'", got, want),
		http.StatusBadRequest, "DIGEST_INVALID"}
}

func errUploadNotFound(id, name, registryID string) *Error {
	return &Error{"UploadNotFoundException",
		fmt.Sprintf("The upload with id '%s' does not exist in the repository with name '%s' in the registry with id '%s'", id, name, registryID),
		http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN"}
}

func errLayerPartInvalid(contentRange string, size int64) *Error {
	return &Error{"InvalidLayerPartException",
		fmt.Sprintf("The layer part '%s' is not valid: the next byte to receive is %d", contentRange, size),
		http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID"}
}

// writeError responds in the format of the OCI distribution specification, "Error Codes".
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	// A client that is still sending a layer would see a broken connection instead of the response.
	io.Copy(io.Discard, r.Body)
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Message: err.Error(), status: http.StatusInternalServerError, docker: "UNKNOWN"}
	}
	if e == errUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="http://%s/",service="ecr.amazonaws.com"`, r.Host))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": e.docker, "message": e.Message}}})
}
