package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cicd/rehearsal/aws/iam"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"

	contentHash     = "X-Amz-Content-Sha256"
	unsignedPayload = "UNSIGNED-PAYLOAD"

	clockSkew = 5 * time.Minute // how far a client's clock may be off
)

// authorization is a parsed Authorization header (IAM user guide, "Create a signed AWS API request").
type authorization struct {
	accessKeyID, date, region, service string
	signedHeaders                      []string
	signature                          string
}

func parseAuthorization(header string) (authorization, error) {
	if header == "" {
		return authorization{}, fault{"MissingAuthenticationTokenException", "Missing Authentication Token"}
	}
	parameters := map[string]string{}
	text, _ := strings.CutPrefix(header, algorithm+" ")
	for _, p := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		parameters[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parameters[name] == "" {
			missing = append(missing, fmt.Sprintf("Authorization header requires '%s' parameter.", name))
		}
	}
	if len(missing) > 0 {
		return authorization{}, incomplete(strings.Join(missing, " ") + " Authorization=" + header)
	}
	scope := strings.Split(parameters["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return authorization{}, incomplete(fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", parameters["Credential"]))
	}
	return authorization{
		accessKeyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signedHeaders: strings.Split(parameters["SignedHeaders"], ";"),
		signature:     parameters["Signature"],
	}, nil
}

func incomplete(message string) fault { return fault{"IncompleteSignatureException", message} }

func badSignature(format string, args ...any) fault {
	return fault{"InvalidSignatureException", fmt.Sprintf(format, args...)}
}

// authenticate returns the session that signed the request.
func (a *api) authenticate(r *http.Request, body []byte) (iam.Session, error) {
	auth, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return iam.Session{}, err
	}
	if err := a.checkScope(auth, r); err != nil {
		return iam.Session{}, err
	}
	session, live := a.Sessions(auth.accessKeyID)
	credentials := session.Credentials
	token := r.Header.Get("X-Amz-Security-Token")
	switch {
	case credentials.AccessKeyID == "" || subtle.ConstantTimeCompare([]byte(token), []byte(credentials.SessionToken)) == 0:
		return iam.Session{}, fault{"UnrecognizedClientException", "The security token included in the request is invalid."}
	case !live:
		return iam.Session{}, fault{"ExpiredTokenException", "The security token included in the request is expired"}
	}
	if want := auth.sign(r, body, credentials.SecretAccessKey); !hmac.Equal([]byte(want), []byte(auth.signature)) {
		return iam.Session{}, badSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return session, nil
}

// checkScope checks the region and time for which the request is signed. In AWS each region is a different host; here
// there is one host, so only the scope shows that a script names the wrong --region or none.
func (a *api) checkScope(auth authorization, r *http.Request) error {
	if region := a.Account.Region(); auth.region != region {
		return badSignature("Credential should be scoped to a valid region, not '%s'. The stack's region is '%s'.", auth.region, region)
	}
	if !slices.Contains(auth.signedHeaders, "host") {
		return badSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	signedAt, err := time.Parse(timeFormat, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return incomplete(fmt.Sprintf("X-Amz-Date must be a time in the form '%s', got '%s'", timeFormat, r.Header.Get("X-Amz-Date")))
	}
	now := time.Now().UTC()
	switch {
	case signedAt.Format("20060102") != auth.date:
		return badSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.",
			auth.date, signedAt.Format("20060102"))
	case now.Sub(signedAt) > clockSkew:
		return badSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			signedAt.Format(timeFormat), now.Add(-clockSkew).Format(timeFormat), now.Format(timeFormat))
	case signedAt.Sub(now) > clockSkew:
		return badSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			signedAt.Format(timeFormat), now.Add(clockSkew).Format(timeFormat), now.Format(timeFormat))
	}
	return nil
}

// sign returns the signature that the request should have.
func (auth authorization) sign(r *http.Request, body []byte, secret string) string {
	var headers strings.Builder
	for _, name := range auth.signedHeaders {
		fmt.Fprintf(&headers, "%s:%s\n", name, headerValue(r, name))
	}
	canonical := strings.Join([]string{
		r.Method,
		r.URL.EscapedPath(),
		strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"),
		headers.String(),
		strings.Join(auth.signedHeaders, ";"),
		auth.payloadHash(r, body),
	}, "\n")
	scope := strings.Join([]string{auth.date, auth.region, auth.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, hexSHA256([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.date, auth.region, auth.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

// payloadHash returns what is signed for the body. S3 takes it from a header, by which a client may leave the body out
// of its signature (S3 API Reference, "Authenticating Requests: Using the Authorization Header", x-amz-content-sha256).
// The path of a request to S3 is signed as it is sent, which it is here for every service: the others have only "/".
func (auth authorization) payloadHash(r *http.Request, body []byte) string {
	if auth.service == "s3" && r.Header.Get(contentHash) == unsignedPayload {
		return unsignedPayload
	}
	return hexSHA256(body)
}

// headerValue returns a header as it is signed; net/http stores two of them elsewhere.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	return strings.Join(strings.Fields(strings.Join(r.Header.Values(name), ",")), " ")
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
