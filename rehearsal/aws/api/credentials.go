package api

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// Session returns the session of software on the host, for the role in its instance profile, renewed before it
// expires. Without a profile or a role, the error says so.
func (m *IMDS) Session() (iam.Session, error) {
	declared, err := m.instance()
	if err != nil {
		return iam.Session{}, err
	}
	role, err := m.role(declared)
	if err != nil {
		return iam.Session{}, fmt.Errorf("instance %s has no instance profile with a role, so its software has no credentials (F23)", m.instanceID)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session.RoleARN != role.String("arn") || time.Until(m.session.Credentials.Expiration) < renewBefore {
		session, err := m.authority.AssumeRole(role.String("arn"), "ec2.amazonaws.com", m.instanceID, "")
		if err != nil {
			return iam.Session{}, err
		}
		m.session = session
	}
	return m.session, nil
}

// role returns the role in the host's declared instance profile.
func (m *IMDS) role(declared instance) (account.Resource, error) {
	profile, ok := m.account.Find(account.InstanceProfile, "name", declared.IAMInstanceProfile)
	if !ok {
		return account.Resource{}, errNotFound
	}
	role, ok := m.account.Find(account.Role, "name", profile.String("role"))
	if !ok {
		return account.Resource{}, errNotFound
	}
	return role, nil
}

// roleCredentials answers for one role name. If EC2 cannot assume the role, the answer says so and is not an error,
// as in EC2.
func (m *IMDS) roleCredentials(name string, declared instance) (string, error) {
	role, err := m.role(declared)
	if err != nil {
		return "", err
	}
	if name != role.String("name") {
		return "", errNotFound
	}
	session, err := m.Session()
	if err != nil {
		return marshal(map[string]any{"Code": "AssumeRoleUnauthorizedAccess", "LastUpdated": now(),
			"Message": fmt.Sprintf("EC2 cannot assume the role %s. %v", name, err)})
	}
	c := session.Credentials
	return marshal(map[string]any{"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": now(),
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
		"Expiration": c.Expiration.UTC().Format(time.RFC3339)})
}

func marshal(document map[string]any) (string, error) {
	text, err := json.MarshalIndent(document, "", "  ")
	return string(text), err
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// ContainerCredentials is the endpoint from which builds get their credentials. CodeBuild passes a build its path in
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; a rehearsal passes the full URL in AWS_CONTAINER_CREDENTIALS_FULL_URI. Its
// zero value is ready to use.
type ContainerCredentials struct {
	mu       sync.Mutex
	sessions map[string]iam.Session // by path
}

// Add serves a session's credentials, and returns their path. It never renews them, because a build may not outlast
// its session, and serves them for as long as the session lasts, even after the build: a copy would remain valid in
// AWS too.
func (c *ContainerCredentials) Add(session iam.Session) (path string) {
	path = "/v2/credentials/" + rand.Text()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == nil {
		c.sessions = map[string]iam.Session{}
	}
	c.sessions[path] = session
	return path
}

// ServeHTTP responds as the Amazon ECS container agent does (its handlers/v1/credentials).
func (c *ContainerCredentials) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	session, ok := c.sessions[r.URL.Path]
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !ok || r.Method != http.MethodGet {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]any{"code": "InvalidIdInRequest", "message": "no credentials have this id",
			"HTTPErrorCode": http.StatusBadRequest})
		return
	}
	json.NewEncoder(w).Encode(map[string]string{
		"RoleArn":         session.RoleARN,
		"AccessKeyId":     session.Credentials.AccessKeyID,
		"SecretAccessKey": session.Credentials.SecretAccessKey,
		"Token":           session.Credentials.SessionToken,
		"Expiration":      session.Credentials.Expiration.UTC().Format(time.RFC3339),
	})
}
