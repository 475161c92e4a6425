package api

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
)

// protocol is the wire format of responses.
type protocol interface {
	write(w http.ResponseWriter, answer any)
	writeError(w http.ResponseWriter, f fault)
}

// jsonProtocol is AWS's JSON 1.1 protocol, which all services but EC2, STS and S3 use here.
type jsonProtocol struct{}

func (jsonProtocol) write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(answer)
}

// writeError responds with 400 to all client errors, including missing permissions, as these services do.
func (p jsonProtocol) writeError(w http.ResponseWriter, f fault) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-ErrorType", f.code)
	w.WriteHeader(statusOf(f, http.StatusBadRequest))
	body := map[string]string{"__type": f.code}
	if f.message != "" { // a few errors have none
		body["message"] = f.message
	}
	json.NewEncoder(w).Encode(body)
}

// queryProtocol is AWS's query protocol, which STS uses.
type queryProtocol struct{ requestID string }

func (p queryProtocol) write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "text/xml")
	xml.NewEncoder(w).Encode(answer)
}

// queryCodes are the query protocol's names for some faults (STS API reference, "Common Errors").
var queryCodes = map[string]string{
	"AccessDeniedException":               "AccessDenied",
	"ExpiredTokenException":               "ExpiredToken",
	"IncompleteSignatureException":        "IncompleteSignature",
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"UnknownOperationException":           "InvalidAction",
	"UnrecognizedClientException":         "InvalidClientTokenId",
}

func (p queryProtocol) writeError(w http.ResponseWriter, f fault) {
	type detail struct{ Type, Code, Message string }
	status := http.StatusForbidden
	if f.code == "IncompleteSignatureException" || f.code == "UnknownOperationException" {
		status = http.StatusBadRequest
	}
	status = statusOf(f, status)
	if code, ok := queryCodes[f.code]; ok {
		f.code = code
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{Error: detail{"Sender", f.code, f.message}, RequestID: p.requestID})
}

// statusOf returns 500 for the rehearsal's own faults, else status.
func statusOf(f fault, status int) int {
	if f.code == "ServerException" {
		return http.StatusInternalServerError
	}
	return status
}
