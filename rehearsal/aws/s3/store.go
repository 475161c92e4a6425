// Package s3 stores the objects of the stack's declared buckets in a folder, versioned if a versioning resource says
// so. It evaluates each read and write against the declared roles and policies, and likewise the use of a KMS key if
// the bucket or the writer names one. It has no listing, multipart uploads or lifecycle, which a pipeline's artifacts
// do not need.
package s3

import (
	"cmp"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// S3's errors, by their codes (Amazon S3 API Reference, "Error responses").
var (
	ErrNoSuchBucket  = errors.New("NoSuchBucket: the specified bucket does not exist")
	ErrNoSuchKey     = errors.New("NoSuchKey: the specified key does not exist")
	ErrNoSuchVersion = errors.New("NoSuchVersion: the specified version does not exist")
	ErrInvalidKey    = errors.New("KeyTooLongError: a key is 1 to 1024 bytes of UTF-8")
)

// Version names one stored version of an object.
type Version struct {
	// ID is the version id, "null" for an object that was put while the bucket was not versioned.
	ID string
	// ETag is the content's MD5 in hexadecimal, including the double quotes of an ETag.
	ETag string
}

// Store holds the objects of the declared buckets. It is safe for concurrent use within one process.
type Store struct {
	dir       string
	account   *account.Account
	authority *iam.Authority

	mu sync.Mutex // guards placing versions, and emptying
}

// NewStore returns a store that keeps its objects under dir, which need not exist yet.
func NewStore(dir string, acct *account.Account, authority *iam.Authority) *Store {
	return &Store{dir: dir, account: acct, authority: authority}
}

// Put stores body under the key, with s3:PutObject, encrypted as the bucket says. If it fails, no part of the new
// object is visible.
func (s *Store) Put(session iam.Session, bucketName, key string, body io.Reader) (Version, error) {
	return s.PutEncrypted(session, bucketName, key, "", body)
}

// PutEncrypted is Put with a KMS key, by id or ARN, instead of the bucket's; "" means the bucket's.
func (s *Store) PutEncrypted(session iam.Session, bucketName, key, kmsKey string, body io.Reader) (Version, error) {
	b, err := s.bucket(bucketName)
	if err != nil {
		return Version{}, err
	}
	if err := validKey(key); err != nil {
		return Version{}, err
	}
	if err := s.authority.Authorize(session, "s3:PutObject", b.objectARN(key)); err != nil {
		return Version{}, fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	b.key, err = s.useKey(session, "kms:GenerateDataKey", cmp.Or(kmsKey, b.key))
	if err != nil {
		return Version{}, fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	v, err := s.write(b, key, body)
	if err != nil {
		return Version{}, fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	return v, nil
}

// useKey authorizes the use of a KMS key, given by id or ARN, and returns its id. S3 makes the call on the session's
// behalf and with its permissions: kms:Decrypt to read an object, kms:GenerateDataKey to write one (IAM User Guide,
// "Forward access sessions"; S3 User Guide, "Using server-side encryption with AWS KMS keys"). For "", S3's own keys,
// it checks nothing: their policy admits whoever may use the object.
func (s *Store) useKey(session iam.Session, action, key string) (id string, err error) {
	if key == "" {
		return "", nil
	}
	declared, ok := s.account.Find(account.KMSKey, "keyId", key)
	if !ok {
		if declared, ok = s.account.Find(account.KMSKey, "arn", key); !ok {
			return "", fmt.Errorf("KMS.NotFoundException: key %s is not declared, so nothing can be written or read with it", key)
		}
	}
	session.Via = "s3"
	return declared.String("keyId"), s.authority.Authorize(session, action, declared.String("arn"))
}

// Inspect authorizes calls that query a bucket or, with a key, an object in it, and whose results nothing here needs;
// it returns an error if the session may not make them. Reading an object includes the use of its key.
func (s *Store) Inspect(session iam.Session, bucketName, key string, actions ...string) error {
	b, err := s.bucket(bucketName)
	if err != nil {
		return err
	}
	resource := b.arn
	if key != "" {
		resource = b.objectARN(key)
	}
	var errs []error
	for _, action := range actions {
		errs = append(errs, s.authority.Authorize(session, action, resource))
		if key != "" && (action == "s3:GetObject" || action == "s3:GetObjectVersion") {
			errs = append(errs, s.decrypt(session, b, key))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	return nil
}

// decrypt authorizes the use of the key of an object's current version, if any.
func (s *Store) decrypt(session iam.Session, b bucket, key string) error {
	stored, err := listVersions(b.objectDir(s.dir, key))
	if err != nil || len(stored) == 0 {
		return err
	}
	_, err = s.useKey(session, "kms:Decrypt", stored[len(stored)-1].key)
	return err
}

// ObjectCount returns the total number of versions of all objects in the bucket, which can be deleted when it is 0. A
// bucket that is not declared has none.
func (s *Store) ObjectCount(bucketName string) int {
	b, err := s.bucket(bucketName)
	if err != nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, _ := filepath.Glob(filepath.Join(s.dir, b.name, "objects", "*", "*")) // the pattern is well-formed
	return len(found)
}

// EmptyBucket removes every version of every object, like a bucket's forceDestroy.
func (s *Store) EmptyBucket(bucketName string) error {
	b, err := s.bucket(bucketName)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.RemoveAll(filepath.Join(s.dir, b.name))
}

// write fills a temporary file beside the objects and moves it into place when complete.
func (s *Store) write(b bucket, key string, body io.Reader) (Version, error) {
	incoming := filepath.Join(s.dir, b.name, "incoming")
	objects := b.objectDir(s.dir, key)
	for _, dir := range []string{incoming, objects} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return Version{}, err
		}
	}
	file, err := os.CreateTemp(incoming, "")
	if err != nil {
		return Version{}, err
	}
	defer os.Remove(file.Name()) // a no-op once the file is moved

	sum := md5.New()
	_, err = io.Copy(io.MultiWriter(file, sum), body)
	if err = errors.Join(err, file.Close()); err != nil {
		return Version{}, err
	}
	return s.place(b, objects, file.Name(), hex.EncodeToString(sum.Sum(nil)))
}

// place gives a complete file its version and makes it current, in one rename.
func (s *Store) place(b bucket, objects, file, sum string) (Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := listVersions(objects)
	if err != nil {
		return Version{}, err
	}
	next := entry{number: 1, id: "null", sum: sum, key: b.key}
	if len(stored) > 0 {
		next.number = stored[len(stored)-1].number + 1
	}
	if b.versioned {
		next.id = newVersionID()
	}
	if err := os.Rename(file, filepath.Join(objects, next.fileName())); err != nil {
		return Version{}, err
	}
	for _, old := range stored {
		if old.id == next.id { // only "null" occurs twice: it is overwritten
			os.Remove(filepath.Join(objects, old.fileName())) // if this fails, the new version shadows it
		}
	}
	return next.version(), nil
}

func (s *Store) open(b bucket, key, version string) (*os.File, entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	objects := b.objectDir(s.dir, key)
	stored, err := listVersions(objects)
	if err != nil {
		return nil, entry{}, err
	}
	if len(stored) == 0 {
		return nil, entry{}, ErrNoSuchKey
	}
	for i := len(stored) - 1; i >= 0; i-- {
		if e := stored[i]; version == "" || version == e.id {
			file, err := os.Open(filepath.Join(objects, e.fileName()))
			return file, e, err
		}
	}
	return nil, entry{}, fmt.Errorf("version %s: %w", version, ErrNoSuchVersion)
}

func validKey(key string) error {
	if key == "" || len(key) > 1024 || !utf8.ValidString(key) {
		return fmt.Errorf("key %.40q: %w", key, ErrInvalidKey)
	}
	return nil
}

func newVersionID() string {
	random := make([]byte, 16)
	rand.Read(random) // never fails, see crypto/rand
	return hex.EncodeToString(random)
}
