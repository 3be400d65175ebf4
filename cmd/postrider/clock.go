//go:build !chaos || !unix

package main

import "github.com/postrider/postrider/internal/cli"

// surroundings returns what the program takes from the machine, as it is.
func surroundings(env cli.Env) cli.Env { return env }
