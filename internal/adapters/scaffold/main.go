// Scaffold writes a new platform: a whole adapter with its stand-in, its tests and its page, to be filled with a network's own facts.
//
//	go run ./internal/adapters/scaffold [-register] NAME
//
// NAME is the platform's id, which people write in `platforms:`. With -register, the platform's line goes into the registry as well. In the end
// the new platform's conformance suite is run, which writes its goldens. docs/ADDING-A-PLATFORM.md says what comes then.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scaffold:", err)
		os.Exit(1)
	}
}

func run(args []string, out, progress io.Writer) error {
	names := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "-register" || arg == "--register" })
	if len(names) != 1 || strings.HasPrefix(names[0], "-") {
		return fmt.Errorf("usage: go run ./internal/adapters/scaffold [-register] NAME")
	}
	name, andRegister := names[0], len(names) < len(args)
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := rootOf(dir)
	if err != nil {
		return err
	}
	written, err := create(root, name, andRegister)
	if err != nil {
		return err
	}
	test := exec.Command("go", "test", "./"+adaptersFolder+"/"+name, "-update") //nolint:noctx // it ends by itself
	test.Dir, test.Stdout, test.Stderr = root, progress, progress
	if err := test.Run(); err != nil {
		return fmt.Errorf("the new platform is written, and its tests fail: %w", err)
	}
	fmt.Fprint(out, after(name, written, andRegister)) //nolint:errcheck // a terminal
	return nil
}

// after says what was written and what comes next.
func after(name string, written []string, registered bool) string {
	var b strings.Builder
	for _, file := range written {
		fmt.Fprintln(&b, file)
	}
	fmt.Fprintf(&b, "%s/%s/testdata\n", adaptersFolder, name)
	if !registered {
		fmt.Fprintf(&b, "\nThe one line, in %s, with its import:\n\n\t\t%s.Adapter{},\n", registryFile, name)
	}
	fmt.Fprintf(&b, "\nThe row of docs/SITE.md:\n\n| `accounts.NAME.server` | %s | `https://api.%s.example` | The address of the API. |\n", name, name)
	b.WriteString("\nIt works as it stands, on its own stand-in. docs/ADDING-A-PLATFORM.md says what to replace, and in which order.\n")
	return b.String()
}
