package acme

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"time"
)

// keys are the files of the API's certificate, and of the root that has signed it.
type keys struct {
	root, certificate, key string // paths
	pool                   *x509.CertPool
}

// newKeys makes a certificate for a host, a name or an address, and for the loopback address, and a root of its own.
func newKeys(dir, host string) (*keys, error) {
	now := time.Now()
	template := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0)}
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := template(1, "Rehearsal: root of the CA's API")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := template(2, "Rehearsal: the CA's API")
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = append(leaf.IPAddresses, ip)
	} else {
		leaf.DNSNames = []string{host}
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &key.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return saveKeys(dir, rootDER, leafDER, keyDER)
}

func saveKeys(dir string, root, leaf, key []byte) (*keys, error) {
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	k := &keys{pool: x509.NewCertPool()}
	k.pool.AppendCertsFromPEM(encode("CERTIFICATE", root))
	var errs [3]error
	k.root, errs[0] = writeFile(dir, "api-root.pem", encode("CERTIFICATE", root))
	k.certificate, errs[1] = writeFile(dir, "api.pem", encode("CERTIFICATE", leaf))
	k.key, errs[2] = writeFile(dir, "api-key.pem", encode("PRIVATE KEY", key))
	return k, errors.Join(errs[:]...)
}
