package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Bucket is an S3-compatible bucket to which publish uploads files that a network fetches.
type Bucket struct {
	Endpoint  string        `yaml:"endpoint" help:"The address of the service, such as https://s3.eu-central-1.amazonaws.com."`
	Name      string        `yaml:"name" help:"The bucket's name."`
	Region    string        `yaml:"region" help:"The bucket's region. Left out: the one that the endpoint names, else us-east-1, which services without regions take."`
	Prefix    string        `yaml:"prefix" help:"What the names of all objects begin with, with a / at its end. Nothing else in the bucket is touched."`
	PublicURL string        `yaml:"public_url" help:"The address of an object that anybody can open, such as https://cdn.acme.example/{key}. Left out: addresses that are signed, for buckets that are not public."`
	Keep      time.Duration `yaml:"keep" help:"How old objects must be that a run which broke off has left behind, before a later one removes them; and how long a signed address is good for, a week at most."`
}

// The defaults of a bucket.
const (
	DefaultPrefix = "postrider/"
	DefaultKeep   = 24 * time.Hour
)

// minKeep is how long an object may be needed: a run may last, and networks fetch what they were told of a while ago.
const minKeep = time.Hour

// BucketOwner stands for the bucket where an account's name stands in other environment variables.
const BucketOwner = "media"

// The names of a bucket's secrets; see [BucketSecrets].
const (
	BucketKeyID     = "ACCESS_KEY_ID"
	BucketSecretKey = "SECRET_ACCESS_KEY" //nolint:gosec // its name, not its value
	BucketSession   = "SESSION_TOKEN"
)

// BucketSecrets describes what a bucket lets us in with: the id of a key, the key, and the token of one that is valid for a while.
func BucketSecrets() []platform.SecretSpec {
	return []platform.SecretSpec{
		{Name: BucketKeyID, Help: "The id of an access key that may put, get, delete and list objects in the bucket.", Aliases: []string{"AWS_ACCESS_KEY_ID"}},
		{Name: BucketSecretKey, Help: "The secret part of the bucket's access key.", Aliases: []string{"AWS_SECRET_ACCESS_KEY"}},
		{Name: BucketSession, Help: "The session token, with an access key that is valid for a while.", Aliases: []string{"AWS_SESSION_TOKEN"}, Optional: true},
	}
}

// Address returns the public address of an object, empty when site.yaml has none.
func (b Bucket) Address(key string) string {
	return strings.ReplaceAll(b.PublicURL, "{key}", escapePath(key))
}

// Public reports whether site.yaml says where networks find the site's files.
func (m Media) Public() bool { return m.PublicURL != "" || m.Bucket.Name != "" }

// escapePath escapes a path's segments for an address.
func escapePath(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// validateBucket checks the bucket. One that is wrong counts as none.
func (d *decoder) validateBucket() {
	b := &d.site.Media.Bucket
	if !d.given("media.bucket") {
		return
	}
	before := len(d.out)
	wrong := func(key, message, hint string) {
		d.fail(CodeBucket, d.site.Place("media", "bucket", key), message, hint)
	}
	if d.given("media.public_url") {
		wrong("", "the site's files have two public places, an address of each and a bucket", "keep one of media.public_url and media.bucket")
	}
	switch u, err := url.Parse(b.Endpoint); {
	case b.Endpoint == "":
		wrong("endpoint", "the bucket's service is missing", "endpoint: https://s3.eu-central-1.amazonaws.com, for example")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		wrong("endpoint", fmt.Sprintf("%q is not an address", b.Endpoint), "write it with https://")
	case u.User != nil:
		wrong("endpoint", "the address has a name or password in it", "keys come from the environment: "+bucketVariables())
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		wrong("endpoint", "the address of the service has more than a host", "the bucket's name belongs into name")
	}
	switch {
	case b.Name == "":
		wrong("name", "the bucket's name is missing", "name: acme-social, for example")
	case !bucketName(b.Name):
		wrong("name", fmt.Sprintf("%q cannot be the name of a bucket", b.Name), "names have 3 to 63 of a–z, 0–9, - and ., and begin and end with a letter or digit")
	}
	if !objectPrefix(b.Prefix) {
		wrong("prefix", fmt.Sprintf("%q cannot be what objects' names begin with", b.Prefix), "it is one or more folders of letters, digits, ., _ and -, with a / at the end, such as "+DefaultPrefix)
	}
	if b.Keep < minKeep {
		wrong("keep", "a network may still be fetching what is to be removed so soon", "keep: 24h, for example; an hour at least")
	}
	if b.PublicURL != "" {
		d.validateAddress(CodeBucket, d.site.Place("media", "bucket", "public_url"), b.PublicURL, b.Address("postrider/0123abc.jpg"), "key")
	}
	if len(d.out) > before {
		*b = Bucket{}
	}
}

// bucketVariables names the environment variables that a bucket's keys come from.
func bucketVariables() string {
	return platform.EnvName(BucketOwner, BucketKeyID) + " and " + platform.EnvName(BucketOwner, BucketSecretKey)
}

// bucketName reports whether a bucket can have a name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (2026-11-22)
func bucketName(s string) bool {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
	return len(s) >= 3 && len(s) <= 63 && strings.Trim(s, alphanumeric+"-.") == "" && !strings.Contains(s, "..") &&
		strings.Trim(s[:1]+s[len(s)-1:], alphanumeric) == ""
}

// objectPrefix reports whether the names of objects can begin with s so that addresses, policies and rules write it as it is.
func objectPrefix(s string) bool {
	folders, ok := strings.CutSuffix(s, "/")
	if !ok || len(s) > 200 {
		return false
	}
	for folder := range strings.SplitSeq(folders, "/") {
		if folder == "" || folder == "." || folder == ".." || strings.ContainsFunc(folder, func(r rune) bool {
			return r != '.' && r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}
