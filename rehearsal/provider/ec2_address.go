package provider

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/crypto/ssh"

	"cicd/rehearsal/aws/account"
)

// addressKinds are a host's key pair and Elastic IP.
var addressKinds = map[string]kind{
	account.KeyPair: {
		source: "ec2/ec2_key_pair.go",
		inputs: schema{
			"keyName":   text().length(1, 255).keeps(nil).replaces().at(57),
			"publicKey": text().need().replaces().same(sameTrimmed).rule(checkPublicKey).at(81),
		},
		autoname: &autoname{"keyName", 255},
		tagged:   true,
		unique:   []string{"keyName"}, taken: "InvalidKeyPair.Duplicate: The keypair '%s' already exists.",
		id: input("keyName"),
		computed: map[string]output{
			"arn":         arnOf("ec2", "key-pair/%s"),
			"keyPairId":   once("keyPairId", newPart("key")),
			"keyType":     func(c *call) any { return strings.TrimPrefix(strings.Fields(c.in.text("publicKey"))[0], "ssh-") },
			"fingerprint": fingerprint,
		},
	},
	account.EIP: {
		source: "ec2/ec2_eip.go",
		inputs: schema{"domain": text().oneOf("vpc").keeps("vpc").replaces().at(78)},
		tagged: true,
		id:     generated("eipalloc"),
		computed: map[string]output{
			"arn":          arnOf("ec2", "elastic-ip/%s"),
			"allocationId": func(c *call) any { return c.id },
			"publicIp":     once("publicIp", func(c *call) any { return freePublicIP(c.acct) }),
			"publicDns":    once("publicDns", func(c *call) any { return publicName(c.region, freePublicIP(c.acct)) }),
		},
		dependents: []dependent{{token: account.EIPAssociation, property: "allocationId"}},
		inUse:      "InvalidIPAddress.InUse: Address %s is in use.",
	},
	account.EIPAssociation: {
		source: "ec2/ec2_eip_association.go",
		inputs: schema{
			"allocationId":       text().need().names(named(account.EIP, "id", "InvalidAllocationID.NotFound: The allocation ID '%s' does not exist")).keeps(nil).replaces().at(33),
			"instanceId":         text().need().names(instanceByID).keeps(nil).replaces().at(44),
			"allowReassociation": flag().replaces().at(39),
		},
		verify: verifyAssociation,
		id:     generated("eipassoc"),
		computed: map[string]output{
			"publicIp":         func(c *call) any { return c.related(account.EIP, "allocationId").String("publicIp") },
			"privateIpAddress": func(c *call) any { return c.related(account.Instance, "instanceId").String("privateIp") },
			"networkInterfaceId": func(c *call) any {
				return c.related(account.Instance, "instanceId").String("primaryNetworkInterfaceId")
			},
		},
	},
}

// related returns the resource of a type whose id is in an input.
func (c *call) related(token, name string) account.Resource {
	r, _ := c.acct.Find(token, "id", c.in.text(name))
	return r
}

// verifyAssociation requires a network with an internet gateway, and an address that is free or may be reassociated,
// which is the default (EC2 API Reference, AssociateAddress).
func verifyAssociation(c *call, r *report) {
	subnet, ok := c.acct.Find(account.Subnet, "id", c.related(account.Instance, "instanceId").String("subnetId"))
	if vpc := subnet.String("vpcId"); ok {
		if _, attached := c.acct.Find(account.InternetGateway, "vpcId", vpc); !attached {
			r.add("instanceId", "Gateway.NotAttached: Network %s is not attached to any internet gateway; make the instance depend on it", vpc)
		}
	}
	if _, taken := c.acct.Find(account.EIPAssociation, "allocationId", c.in.text("allocationId")); taken && c.in["allowReassociation"] == false {
		r.add("allocationId", "Resource.AlreadyAssociated: resource %s is already associated with another instance", c.in.text("allocationId"))
	}
}

// checkPublicKey accepts what ImportKeyPair does: RSA and ED25519 keys in OpenSSH's format. Source: EC2 API
// Reference, ImportKeyPair.
func checkPublicKey(v any) string {
	s, _ := v.(string)
	fields := strings.Fields(s)
	if len(fields) < 2 || fields[0] != ssh.KeyAlgoRSA && fields[0] != ssh.KeyAlgoED25519 || strings.Contains(strings.TrimSpace(s), "\n") {
		return "InvalidKey.Format: Key is not in valid OpenSSH public key format: want ssh-ed25519 or ssh-rsa, the key in base64, and a comment"
	}
	if key, err := publicKey(s); err != nil || key.Type() != fields[0] {
		return fmt.Sprintf("InvalidKey.Format: Key is not in valid OpenSSH public key format: the base64 is not an %s key", fields[0])
	}
	return ""
}

// publicKey parses the second field of a key in OpenSSH's format.
func publicKey(s string) (ssh.PublicKey, error) {
	blob, err := base64.StdEncoding.DecodeString(strings.Fields(s)[1])
	if err != nil {
		return nil, err
	}
	return ssh.ParsePublicKey(blob)
}

// sameTrimmed compares texts without the white space around them.
func sameTrimmed(before, after string) bool {
	return strings.TrimSpace(before) == strings.TrimSpace(after)
}

// fingerprint is the key's SHA-256 hash for ED25519 keys, and the MD5 hash of its DER form for RSA. Source: EC2 User
// Guide, "Verify the fingerprint of your key pair".
func fingerprint(c *call) any {
	key, _ := publicKey(c.in.text("publicKey")) // checked
	if key.Type() == ssh.KeyAlgoRSA {
		der, _ := x509.MarshalPKIXPublicKey(key.(ssh.CryptoPublicKey).CryptoPublicKey())
		return strings.ReplaceAll(fmt.Sprintf("% x", md5.Sum(der)), " ", ":")
	}
	sum := sha256.Sum256(key.Marshal())
	return base64.StdEncoding.EncodeToString(sum[:])
}

// publicIPs is TEST-NET-3, whose addresses are never routed (RFC 5737).
var publicIPs = netip.MustParsePrefix("203.0.113.0/24")

// freePublicIP returns the first address that neither a host nor an Elastic IP has.
func freePublicIP(acct *account.Account) string {
	address := publicIPs.Addr().Next()
	for inUse(acct, account.EIP, "publicIp", address) || inUse(acct, account.Instance, "publicIp", address) {
		address = address.Next()
	}
	return address.String()
}

func inUse(acct *account.Account, token, property string, address netip.Addr) bool {
	_, ok := acct.Find(token, property, address.String())
	return ok
}

// publicName and privateName return EC2's DNS names for addresses, or "" for no address. Source: VPC User Guide, "DNS
// hostnames".
func publicName(region, address string) string {
	if address == "" {
		return ""
	}
	domain := region + ".compute"
	if region == "us-east-1" {
		domain = "compute-1"
	}
	return "ec2-" + strings.ReplaceAll(address, ".", "-") + "." + domain + "." + dnsSuffix(region)
}

func privateName(region, address string) string {
	domain := region + ".compute"
	if region == "us-east-1" {
		domain = "ec2"
	}
	return "ip-" + strings.ReplaceAll(address, ".", "-") + "." + domain + ".internal"
}
