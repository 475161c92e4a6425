package s3

import (
	"errors"
	"fmt"
	"io"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// Object is an open version of an object. Whoever opened it closes it.
type Object struct {
	io.ReadCloser
	Version
	// Size is in bytes.
	Size int64
	// Modified is when the version was stored.
	Modified time.Time
	// KMSKey is the ARN of the key that encrypts it, "" for S3's own.
	KMSKey string
	// Versioned says that the bucket is, so that the version's id means something.
	Versioned bool
}

// Get opens a version of an object, with s3:GetObjectVersion or, if version is "", the current one, with
// s3:GetObject. The caller closes the reader.
func (s *Store) Get(session iam.Session, bucketName, key, version string) (io.ReadCloser, Version, error) {
	o, err := s.Open(session, bucketName, key, version)
	return o.ReadCloser, o.Version, err
}

// Open is Get, with all that S3 says about the object.
func (s *Store) Open(session iam.Session, bucketName, key, version string) (Object, error) {
	b, err := s.bucket(bucketName)
	if err != nil {
		return Object{}, err
	}
	if err := validKey(key); err != nil {
		return Object{}, err
	}
	o, err := s.openAs(session, b, key, version)
	if err != nil {
		return Object{}, fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	return o, nil
}

func (s *Store) openAs(session iam.Session, b bucket, key, version string) (Object, error) {
	action := "s3:GetObject"
	if version != "" {
		action = "s3:GetObjectVersion"
	}
	if err := s.authority.Authorize(session, action, b.objectARN(key)); err != nil {
		return Object{}, err
	}
	file, e, err := s.open(b, key, version)
	if errors.Is(err, ErrNoSuchKey) {
		// A caller that may not list the bucket is not told which keys are missing (API Reference, GetObject, "Permissions").
		if denied := s.authority.Authorize(session, "s3:ListBucket", b.arn); denied != nil {
			err = denied
		}
	}
	if err != nil {
		return Object{}, err
	}
	info, err := file.Stat()
	if err == nil {
		_, err = s.useKey(session, "kms:Decrypt", e.key)
	}
	if err != nil {
		file.Close()
		return Object{}, err
	}
	o := Object{ReadCloser: file, Version: e.version(), Size: info.Size(), Modified: info.ModTime(), Versioned: b.versioned}
	if key, ok := s.account.Find(account.KMSKey, "keyId", e.key); ok && e.key != "" {
		o.KMSKey = key.String("arn")
	}
	return o, nil
}
