// Postrider publishes social media from a git repository: see `postrider --help` and the README.
package main

import (
	"os"
	_ "time/tzdata" // so that time zones work where the system has none

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/cli"
)

func main() { os.Exit(cli.Main(surroundings(cli.System(adapters.All(), postrider.Sample)))) }
