package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A sandbox may be kept for months and its authority is trusted by nothing else.
const validity = 10 * 365 * 24 * time.Hour

// order is what the certificates component reads from standard input. Files
// that exist are kept: issuing twice changes nothing.
type order struct {
	Directory    string        `json:"directory"`
	Authority    string        `json:"authority"`
	KeyPairs     []string      `json:"keyPairs"`
	Certificates []certificate `json:"certificates"`
}

type certificate struct {
	Name          string   `json:"name"`
	CommonName    string   `json:"commonName"`
	Organizations []string `json:"organizations"`
	DNSNames      []string `json:"dnsNames"`
	IPAddresses   []string `json:"ipAddresses"`
	Server        bool     `json:"server"`
	Client        bool     `json:"client"`
}

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func runCertificates([]string) int {
	if err := issueOrder(); err != nil {
		fmt.Fprintf(os.Stderr, "certificates: %v\n", err)
		return 1
	}
	return 0
}

func issueOrder() error {
	var asked order
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Errorf("the order on standard input: %w", err)
	}
	if err := os.MkdirAll(asked.Directory, 0o700); err != nil {
		return err
	}
	signer, err := ensureAuthority(filepath.Join(asked.Directory, asked.Authority))
	if err != nil {
		return fmt.Errorf("authority %s: %w", asked.Authority, err)
	}
	for _, name := range asked.KeyPairs {
		if err := ensureKeyPair(filepath.Join(asked.Directory, name)); err != nil {
			return fmt.Errorf("key pair %s: %w", name, err)
		}
	}
	for _, leaf := range asked.Certificates {
		if err := ensureCertificate(filepath.Join(asked.Directory, leaf.Name), leaf, signer); err != nil {
			return fmt.Errorf("certificate %s: %w", leaf.Name, err)
		}
	}
	return nil
}

func ensureAuthority(base string) (authority, error) {
	if pair, err := tls.LoadX509KeyPair(base+".crt", base+".key"); err == nil {
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok {
			return authority{}, errors.New("its key is not an ECDSA key")
		}
		return authority{pair.Leaf, key}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return authority{}, err
	}
	template, err := newTemplate(pkix.Name{CommonName: "holdfast-sandbox"})
	if err != nil {
		return authority{}, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return sign(base, template, nil)
}

func ensureCertificate(base string, asked certificate, signer authority) error {
	if exists(base+".crt") && exists(base+".key") {
		return nil
	}
	template, err := newTemplate(pkix.Name{CommonName: asked.CommonName, Organization: asked.Organizations})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.DNSNames = asked.DNSNames
	for _, text := range asked.IPAddresses {
		address := net.ParseIP(text)
		if address == nil {
			return fmt.Errorf("%q is not an IP address", text)
		}
		template.IPAddresses = append(template.IPAddresses, address)
	}
	if asked.Server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if asked.Client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	_, err = sign(base, template, &signer)
	return err
}

// ensureKeyPair writes BASE.key and its public half BASE.pub.
func ensureKeyPair(base string) error {
	if exists(base+".key") && exists(base+".pub") {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := writeKey(base+".key", key); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return writePEM(base+".pub", "PUBLIC KEY", public, 0o644)
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		// A clock set back a little must not make a new certificate invalid.
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.Add(validity),
	}, nil
}

// sign writes the key before the certificate: a certificate on disk always has
// its key. Without a signer the certificate signs itself.
func sign(base string, template *x509.Certificate, signer *authority) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	parent, parentKey := template, key
	if signer != nil {
		parent, parentKey = signer.certificate, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return authority{}, err
	}
	issued, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	if err := writeKey(base+".key", key); err != nil {
		return authority{}, err
	}
	return authority{issued, key}, writePEM(base+".crt", "CERTIFICATE", der, 0o644)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", der, 0o600)
}

// writePEM replaces the file in one step, so that a crash leaves no half file.
func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
