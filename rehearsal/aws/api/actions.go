package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
)

// decode reads a JSON request. An unsupported parameter is an error, so that none is ignored.
func decode(body []byte, request any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(request); err != nil {
		return fault{"InvalidParameterException", fmt.Sprintf("the rehearsal does not serve this request: %v", err)}
	}
	return nil
}

func (a *api) getAuthorizationToken(s iam.Session, body []byte) (any, error) {
	if err := a.authorize(s, "ecr:GetAuthorizationToken", "*"); err != nil {
		return nil, err
	}
	if err := decode(body, &struct{}{}); err != nil {
		return nil, err
	}
	password, expiresAt := a.Registry.IssueToken(s)
	type authorization struct {
		AuthorizationToken string  `json:"authorizationToken"`
		ExpiresAt          float64 `json:"expiresAt"`
		ProxyEndpoint      string  `json:"proxyEndpoint"`
	}
	return map[string][]authorization{"authorizationData": {{
		AuthorizationToken: base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
		ExpiresAt:          float64(expiresAt.Unix()),
		ProxyEndpoint:      a.RegistryURL,
	}}}, nil
}

// imagesRequest is the request of DescribeImages and of BatchGetImage.
type imagesRequest struct {
	RegistryID     string        `json:"registryId"`
	RepositoryName string        `json:"repositoryName"`
	ImageIDs       []ecr.ImageID `json:"imageIds"`
}

// images decodes a request for a repository's images and asks IAM whether s may perform action there. It looks up the
// repository first, because a missing declaration is easier to fix if the error says so.
func (a *api) images(s iam.Session, action string, body []byte) (imagesRequest, error) {
	var request imagesRequest
	if err := decode(body, &request); err != nil {
		return request, err
	}
	if id := request.RegistryID; id != "" && id != a.Account.ID() {
		return request, fault{"RepositoryNotFoundException",
			fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", request.RepositoryName, id)}
	}
	arn, err := a.Registry.RepositoryARN(request.RepositoryName)
	if err != nil {
		return request, err
	}
	return request, a.authorize(s, action, arn)
}

func (a *api) describeImages(s iam.Session, body []byte) (any, error) {
	request, err := a.images(s, "ecr:DescribeImages", body)
	if err != nil {
		return nil, err
	}
	images, err := a.Registry.Images(request.RepositoryName, request.ImageIDs...)
	if err != nil {
		return nil, err
	}
	type detail struct {
		RegistryID             string   `json:"registryId"`
		RepositoryName         string   `json:"repositoryName"`
		ImageDigest            string   `json:"imageDigest"`
		ImageTags              []string `json:"imageTags,omitempty"`
		ImageSizeInBytes       int64    `json:"imageSizeInBytes"`
		ImagePushedAt          float64  `json:"imagePushedAt"`
		ImageManifestMediaType string   `json:"imageManifestMediaType"`
		ArtifactMediaType      string   `json:"artifactMediaType,omitempty"`
	}
	details := []detail{}
	for _, image := range images {
		details = append(details, detail{a.Account.ID(), request.RepositoryName, image.Digest, image.Tags, image.SizeBytes,
			float64(image.PushedAt.UnixMilli()) / 1000, image.MediaType, image.ConfigMediaType})
	}
	return map[string]any{"imageDetails": details}, nil
}

func (a *api) batchGetImage(s iam.Session, body []byte) (any, error) {
	request, err := a.images(s, "ecr:BatchGetImage", body)
	if err != nil {
		return nil, err
	}
	type image struct {
		RegistryID             string      `json:"registryId"`
		RepositoryName         string      `json:"repositoryName"`
		ImageID                ecr.ImageID `json:"imageId"`
		ImageManifest          string      `json:"imageManifest"`
		ImageManifestMediaType string      `json:"imageManifestMediaType"`
	}
	type failure struct {
		ImageID       ecr.ImageID `json:"imageId"`
		FailureCode   string      `json:"failureCode"`
		FailureReason string      `json:"failureReason"`
	}
	images, failures := []image{}, []failure{}
	for _, id := range request.ImageIDs {
		found, err := a.Registry.Images(request.RepositoryName, id)
		var refused *ecr.Error
		if errors.As(err, &refused) && refused.Code == "ImageNotFoundException" {
			failures = append(failures, failure{id, "ImageNotFound", "Requested image not found"})
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			images = append(images, image{a.Account.ID(), request.RepositoryName, ecr.ImageID{Digest: f.Digest, Tag: id.Tag},
				string(f.Manifest), f.MediaType})
		}
	}
	return map[string]any{"images": images, "failures": failures}, nil
}

// getCallerIdentity needs no permission, and no policy can deny it (STS API reference, GetCallerIdentity).
func (a *api) getCallerIdentity(s iam.Session, _ []byte) (any, error) {
	type result struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}
	// arn:aws:iam::123456789012:role/path/name is assumed as arn:aws:sts::123456789012:assumed-role/name/session.
	prefix, path, _ := strings.Cut(s.RoleARN, ":role/")
	role := path[strings.LastIndex(path, "/")+1:]
	return struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result  result   `xml:"GetCallerIdentityResult"`
	}{Result: result{
		Arn:     strings.Replace(prefix, ":iam:", ":sts:", 1) + ":assumed-role/" + role + "/" + s.Name,
		UserID:  "AROA" + strings.ToUpper(role) + ":" + s.Name,
		Account: a.Account.ID(),
	}}, nil
}
