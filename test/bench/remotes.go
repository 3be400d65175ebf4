package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi" //nolint:gosec // G504 is about Go versions before 1.6.3
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// codeHost is where the remotes of sites are. It serves them in this process and its children: what that takes is not the daemon's.
type codeHost struct {
	words string              // for the title of a table
	url   func(string) string // of a remote, by its folder
	env   []string            // with which git and the daemon reach it
	close func()              // ends it
}

// newCodeHost starts a code host of a kind, for the repositories in a folder.
func newCodeHost(ctx context.Context, kind, dir string) (codeHost, error) {
	switch kind {
	case "folder":
		return codeHost{"in folders", func(remote string) string { return remote }, nil, func() {}}, nil
	case "https":
		return serveHTTPS(ctx, dir)
	case "ssh":
		return serveSSH(dir)
	}
	return codeHost{}, errors.New("-remotes takes folder, https and ssh")
}

// serveHTTPS serves repositories as git does.
func serveHTTPS(ctx context.Context, dir string) (codeHost, error) {
	backend, err := httpBackend(ctx, dir)
	if err != nil {
		return codeHost{}, err
	}
	s := httptest.NewUnstartedServer(backend)
	s.EnableHTTP2 = true
	s.StartTLS()
	authority := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		s.Close()
		return codeHost{}, err
	}
	url := func(remote string) string { return s.URL + "/" + filepath.Base(remote) }
	return codeHost{"over HTTPS", url, []string{"SSL_CERT_FILE=" + authority}, s.Close}, nil
}

// httpBackend serves the repositories in a folder as git does.
func httpBackend(ctx context.Context, dir string) (http.Handler, error) {
	execPath, err := git(ctx, "", nil, "--exec-path")
	if err != nil {
		return nil, err
	}
	return &cgi.Handler{Path: filepath.Join(execPath, "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: io.Discard}, nil
}

// serveSSH serves repositories over SSH, to whoever has the key that it makes.
func serveSSH(dir string) (codeHost, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return codeHost{}, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return codeHost{}, err
	}
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		return codeHost{}, err
	}
	signer, err := ssh.NewSignerFromKey(private) // the host's key may be the same here
	if err != nil {
		return codeHost{}, err
	}
	known, err := ssh.NewPublicKey(public)
	if err != nil {
		return codeHost{}, err
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) != string(known.Marshal()) {
			return nil, errors.New("an unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens until it is closed
	if err != nil {
		return codeHost{}, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveSSHConn(c, config)
		}
	}()
	url := func(remote string) string { return "ssh://git@" + l.Addr().String() + remote }
	command := fmt.Sprintf("GIT_SSH_COMMAND=ssh -F none -i %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR", key)
	return codeHost{"over SSH", url, []string{command}, func() { l.Close() }}, nil //nolint:errcheck // a measurement's end
}

// serveSSHConn runs what it is asked to.
func serveSSHConn(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close() //nolint:errcheck // its client has gone
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		ch, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go serveSSHSession(ch, asked)
	}
}

func serveSSHSession(ch ssh.Channel, asked <-chan *ssh.Request) {
	defer ch.Close() //nolint:errcheck // as above
	env := environ()
	for req := range asked {
		var set struct{ Name, Value string }
		var run struct{ Command string }
		switch {
		case req.Type == "env" && ssh.Unmarshal(req.Payload, &set) == nil && set.Name == "GIT_PROTOCOL":
			env = append(env, "GIT_PROTOCOL="+set.Value)
			req.Reply(true, nil) //nolint:errcheck // the client may have gone
		case req.Type == "exec" && ssh.Unmarshal(req.Payload, &run) == nil:
			req.Reply(true, nil)                         //nolint:errcheck // as above
			cmd := exec.Command("sh", "-c", run.Command) //nolint:gosec,noctx // git of this measurement, which ends by itself
			cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, ch, ch, ch.Stderr()
			status := struct{ Code uint32 }{}
			if cmd.Run() != nil {
				status.Code = 1
			}
			ch.SendRequest("exit-status", false, ssh.Marshal(status)) //nolint:errcheck // as above
			return
		default:
			req.Reply(false, nil) //nolint:errcheck // as above
		}
	}
}
