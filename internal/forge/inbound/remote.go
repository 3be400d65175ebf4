package inbound

import (
	"net/url"
	"slices"
	"strings"
)

// About reports whether an event is about the repository that a remote's address leads to. The way there does not matter, so that the address by
// which a host is reached from inside may differ from the one that it offers: with or without a user, a port and ".git", by HTTPS or SSH.
func (e *Event) About(remote string) bool {
	host, path, ok := destination(remote)
	return ok && slices.ContainsFunc(e.CloneURLs, func(offered string) bool {
		h, p, ok := destination(offered)
		return ok && strings.EqualFold(h, host) && strings.EqualFold(p, path)
	})
}

// destination returns the host and the path of an address as git takes it: a URL, or "user@host:path".
func destination(address string) (host, path string, ok bool) {
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil {
			return "", "", false
		}
		host, path = u.Hostname(), u.Path
	} else {
		if host, path, ok = strings.Cut(address, ":"); !ok || strings.ContainsAny(host, `/\`) {
			return "", "", false // a folder
		}
		host = host[strings.LastIndexByte(host, '@')+1:]
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return host, path, host != "" && path != ""
}
