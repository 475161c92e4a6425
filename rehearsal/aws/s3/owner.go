package s3

import (
	"fmt"
	"io"
	"os"
)

// PlaceObject stores a version of an object as whoever deploys the stack does, whom no declared policy limits, and
// returns the version's id and the ETag without its quotes. kmsKey is the id of the KMS key that encrypts it, "" for
// S3's own keys.
func (s *Store) PlaceObject(bucketName, key, kmsKey string, body io.Reader) (version, etag string, err error) {
	b, err := s.bucket(bucketName)
	if err != nil {
		return "", "", err
	}
	if err := validKey(key); err != nil {
		return "", "", err
	}
	b.key = kmsKey
	v, err := s.write(b, key, body)
	if err != nil {
		return "", "", fmt.Errorf("s3://%s/%s: %w", bucketName, key, err)
	}
	return v.ID, v.ETag[1 : len(v.ETag)-1], nil
}

// RemoveObject removes every version of an object, if there is any, as whoever deploys the stack.
func (s *Store) RemoveObject(bucketName, key string) error {
	b, err := s.bucket(bucketName)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.RemoveAll(b.objectDir(s.dir, key))
}
