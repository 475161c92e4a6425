package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/account"
)

// bucket is the part of a declared bucket that the store needs.
type bucket struct {
	name, arn string
	versioned bool
	// key is the id or ARN of the KMS key that encrypts new objects; "" for S3's own keys.
	key string
}

// bucket finds a declared bucket. It rejects names that are not a single path element, so the name is safe for a folder.
func (s *Store) bucket(name string) (bucket, error) {
	r, ok := s.account.Find(account.Bucket, "bucket", name)
	if !ok || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return bucket{}, fmt.Errorf("s3://%s: %w", name, ErrNoSuchBucket)
	}
	b := bucket{name: name, arn: r.String("arn")}
	for _, r := range s.account.ByType(account.BucketVersioning) {
		v, err := account.Decode[struct {
			Bucket                  string `json:"bucket"`
			VersioningConfiguration struct {
				Status string `json:"status"`
			} `json:"versioningConfiguration"`
		}](r)
		if err != nil {
			return bucket{}, err
		}
		if v.Bucket == name {
			b.versioned = v.VersioningConfiguration.Status == "Enabled"
		}
	}
	encryption, _ := s.account.Find(account.BucketEncryption, "bucket", name)
	v, err := account.Decode[struct {
		Rules []struct {
			Default struct {
				Key string `json:"kmsMasterKeyId"`
			} `json:"applyServerSideEncryptionByDefault"`
		} `json:"rules"`
	}](encryption)
	if len(v.Rules) > 0 {
		b.key = v.Rules[0].Default.Key
	}
	return b, err
}

func (b bucket) objectARN(key string) string { return b.arn + "/" + key }

// objectDir is the folder of an object's versions. Its name is a digest, so that no key, whatever its content or
// length, leads elsewhere.
func (b bucket) objectDir(root, key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(root, b.name, "objects", hex.EncodeToString(sum[:]))
}

// entry is one stored version. Its file's name, "NUMBER.ID.MD5.KEY", holds all its metadata, so that it appears and
// disappears in one step.
type entry struct {
	number  int // increases within an object; the highest is current
	id, sum string
	key     string // the id of the KMS key that encrypts it, "" for S3's own
}

func (e entry) fileName() string { return fmt.Sprintf("%08d.%s.%s.%s", e.number, e.id, e.sum, e.key) }

func (e entry) version() Version { return Version{ID: e.id, ETag: `"` + e.sum + `"`} }

// listVersions returns an object's versions, the current one last.
func listVersions(dir string) ([]entry, error) {
	files, err := os.ReadDir(dir) // sorted by name, hence by number
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []entry
	for _, f := range files {
		parts := strings.Split(f.Name(), ".")
		if len(parts) != 4 {
			return nil, fmt.Errorf("%s: not a stored version; remove it", filepath.Join(dir, f.Name()))
		}
		number, err := strconv.Atoi(parts[0])
		if err != nil {
			return nil, fmt.Errorf("%s: not a stored version; remove it", filepath.Join(dir, f.Name()))
		}
		found = append(found, entry{number: number, id: parts[1], sum: parts[2], key: parts[3]})
	}
	return found, nil
}
