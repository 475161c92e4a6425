package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

const (
	tokenHeader    = "X-aws-ec2-metadata-token"
	tokenTTLHeader = "X-aws-ec2-metadata-token-ttl-seconds"
	maxTokenTTL    = 21600 // seconds, 6 hours
	// renewBefore is how long before its credentials expire a host gets new ones (EC2 user guide, "Retrieve security
	// credentials from instance metadata": at least five minutes).
	renewBefore = 5 * time.Minute
)

// IMDS is the instance metadata service of one host.
type IMDS struct {
	account    *account.Account
	authority  *iam.Authority
	instanceID string

	mu      sync.Mutex
	tokens  map[string]time.Time // expiry by token
	session iam.Session
}

// NewIMDS returns the instance metadata service (version 2, and version 1 if the declaration allows it) of the
// declared instance, to be served at the root of its own host. It honors the declared httpEndpoint and httpTokens; it
// looks up the instance profile and its role, and without them offers no credentials.
//
// The hop limit is not simulated: there is no router between a host's containers and this process.
func NewIMDS(acct *account.Account, authority *iam.Authority, instanceID string) *IMDS {
	return &IMDS{account: acct, authority: authority, instanceID: instanceID, tokens: map[string]time.Time{}}
}

// instance is what the metadata service reads from aws:ec2/instance:Instance.
type instance struct {
	AMI                string `json:"ami"`
	AvailabilityZone   string `json:"availabilityZone"`
	IAMInstanceProfile string `json:"iamInstanceProfile"`
	InstanceType       string `json:"instanceType"`
	MetadataOptions    struct {
		HTTPEndpoint string `json:"httpEndpoint"`
		HTTPTokens   string `json:"httpTokens"`
	} `json:"metadataOptions"`
	PrivateIP string `json:"privateIp"`
	PublicIP  string `json:"publicIp"`
}

var errNotFound = errors.New("no such metadata")

// ServeHTTP responds as the EC2 user guide says in "Use the Instance Metadata Service to access instance metadata".
func (m *IMDS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	declared, err := m.instance()
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case declared.MetadataOptions.HTTPEndpoint == "disabled":
		http.Error(w, "403 - Forbidden", http.StatusForbidden)
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		m.issueToken(w, r)
	case r.Method != http.MethodGet:
		http.Error(w, "405 - Method Not Allowed", http.StatusMethodNotAllowed)
	case !m.admits(r.Header.Get(tokenHeader), declared):
		http.Error(w, "401 - Unauthorized", http.StatusUnauthorized)
	default:
		m.serve(w, r, declared)
	}
}

func (m *IMDS) instance() (instance, error) {
	r, ok := m.account.Find(account.Instance, "id", m.instanceID)
	if !ok {
		return instance{}, fmt.Errorf("instance %s is not declared", m.instanceID)
	}
	return account.Decode[instance](r)
}

// issueToken refuses requests that came through a proxy, which may be anybody's.
func (m *IMDS) issueToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Forwarded-For") != "" {
		http.Error(w, "403 - Forbidden", http.StatusForbidden)
		return
	}
	seconds, err := strconv.Atoi(r.Header.Get(tokenTTLHeader))
	if err != nil || seconds < 1 || seconds > maxTokenTTL {
		http.Error(w, "400 - Bad Request", http.StatusBadRequest)
		return
	}
	token := rand.Text() + rand.Text()
	m.mu.Lock()
	m.tokens[token] = time.Now().Add(time.Duration(seconds) * time.Second)
	m.mu.Unlock()
	w.Header().Set(tokenTTLHeader, strconv.Itoa(seconds))
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, token)
}

// admits reports whether a GET with this token ("" without one) is answered. A wrong token never is.
func (m *IMDS) admits(token string, declared instance) bool {
	if token == "" {
		return declared.MetadataOptions.HTTPTokens != "required"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Before(m.tokens[token])
}

func (m *IMDS) serve(w http.ResponseWriter, r *http.Request, declared instance) {
	body, err := m.lookup(strings.TrimSuffix(r.URL.Path, "/"), declared)
	switch {
	case errors.Is(err, errNotFound):
		http.Error(w, "404 - Not Found", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, body)
	}
}

func (m *IMDS) lookup(path string, declared instance) (string, error) {
	const credentials = "/latest/meta-data/iam/security-credentials"
	value := ""
	switch path {
	case "/latest/meta-data/instance-id":
		value = m.instanceID
	case "/latest/meta-data/local-ipv4":
		value = declared.PrivateIP
	case "/latest/meta-data/public-ipv4":
		value = m.publicIP(declared)
	case "/latest/meta-data/placement/region":
		value = m.account.Region()
	case "/latest/meta-data/placement/availability-zone":
		value = declared.AvailabilityZone
	case "/latest/dynamic/instance-identity/document":
		return m.identityDocument(declared)
	case credentials:
		role, err := m.role(declared)
		return role.String("name"), err
	}
	if role, ok := strings.CutPrefix(path, credentials+"/"); ok {
		return m.roleCredentials(role, declared)
	}
	if value == "" {
		return "", errNotFound
	}
	return value, nil
}

// publicIP is the Elastic IP's, once one is associated.
func (m *IMDS) publicIP(declared instance) string {
	if association, ok := m.account.Find(account.EIPAssociation, "instanceId", m.instanceID); ok {
		return association.String("publicIp")
	}
	return declared.PublicIP
}

// identityDocument leaves out what the declaration does not say, such as the architecture and the launch time.
func (m *IMDS) identityDocument(declared instance) (string, error) {
	document, err := json.MarshalIndent(map[string]string{
		"accountId":        m.account.ID(),
		"availabilityZone": declared.AvailabilityZone,
		"imageId":          declared.AMI,
		"instanceId":       m.instanceID,
		"instanceType":     declared.InstanceType,
		"privateIp":        declared.PrivateIP,
		"region":           m.account.Region(),
		"version":          "2017-09-30",
	}, "", "  ")
	return string(document), err
}
