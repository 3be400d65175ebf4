package cli

import (
	"fmt"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/secret"
)

// mostQuestions is how many requests a run may make to find out who has approved what.
const mostQuestions = 300

// codeHost returns how the code host of a remote is opened, to read who has approved what: the one that a CI job runs on, else the one
// that the remote's address names. The token is one of lookup's.
func (a *app) codeHost(repo *gitrepo.Repo, lookup func(string) string) func(remote string) (forge.Forge, error) {
	return func(remote string) (forge.Forge, error) {
		address, err := addressOf(repo, remote)
		if err != nil {
			return nil, err
		}
		place, err := forge.DetectRepository(lookup, address)
		if err != nil {
			return nil, err
		}
		token := forgeToken(lookup, place.Kind)
		if token == "" {
			names := tokenNames[place.Kind]
			return nil, fmt.Errorf("there is no token of %s: set %s or %s to one that may read pull requests", place.Kind, names[1], names[0])
		}
		return forge.Open(place, secret.New(token), forge.Rationed(a.HTTP, mostQuestions))
	}
}

// addressOf returns the address of a git remote, without a password; "" when there is no such remote.
func addressOf(repo *gitrepo.Repo, name string) (string, error) {
	remotes, err := repo.Remotes()
	if err != nil {
		return "", err
	}
	for _, r := range remotes {
		if r.Name == name {
			return r.URL, nil
		}
	}
	return "", nil
}
