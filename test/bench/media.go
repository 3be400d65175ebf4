package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/postrider/postrider/internal/media"
)

// The picture that media measures with, and what it becomes: a photograph of 12 megapixels, and Bluesky's limits.
const (
	photoWidth, photoHeight = 4000, 3000
	together                = 20 // pictures at once
)

var fitted = media.Recipe{Width: 2000, Height: 1500, MIME: "image/jpeg", MaxBytes: 2_000_000, Version: media.Version}

// media measures how long a photograph takes to be made to fit, beside the sharp package of npm, which is libvips and libjpeg-turbo: as a process
// that makes one, in a process that has made some before, and twenty at once. It is the program's own code in this program, as no command does
// only that.
func (b *bench) media(ctx context.Context) error {
	file := filepath.Join(b.dir, "photo.jpg")
	if err := os.WriteFile(file, photograph(), 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours := func(n, at int) []string {
		return []string{self, "-fit", file, "-runs", strconv.Itoa(n), "-at-once", strconv.Itoa(at)}
	}
	programs := []struct {
		name string
		args func(n, at int) []string
	}{{"postrider", ours}}
	if *sharp != "" {
		script := filepath.Join(b.dir, "sharp.cjs")
		if err := os.WriteFile(script, []byte(sharpScript), 0o600); err != nil {
			return err
		}
		modules, err := b.sharpModules(ctx)
		if err != nil {
			return err
		}
		theirs := func(n, at int) []string {
			return []string{"node", script, filepath.Join(modules, "sharp"), file, strconv.Itoa(n), strconv.Itoa(at)}
		}
		programs = append(programs[:0:0], struct {
			name string
			args func(n, at int) []string
		}{"sharp", theirs}, programs[0])
	}
	var one, many []command
	for _, p := range programs {
		one = append(one, command{name: p.name + ", a process for one", args: p.args(1, 1)})
		many = append(many, command{name: fmt.Sprintf("%s, %d at once", p.name, together), args: p.args(together, together)})
	}
	if _, err := measure(ctx, "A photograph of 12 megapixels to 2000×1500", *runs, one...); err != nil {
		return err
	}
	if _, err := measure(ctx, fmt.Sprintf("%d such photographs at once", together), max(1, *runs/2), many...); err != nil {
		return err
	}
	took, cpu := make([][]float64, len(programs)), make([][]float64, len(programs))
	for range 3 {
		for i, p := range programs {
			out, err := exec.CommandContext(ctx, p.args(10, 1)[0], p.args(10, 1)[1:]...).Output() //nolint:gosec // commands of this file
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			var wall, used float64
			if _, err := fmt.Sscan(string(out), &wall, &used); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took[i], cpu[i] = append(took[i], wall), append(cpu[i], used)
		}
	}
	fmt.Printf("\nOne after the other in one process (load %s)\n\n| program | wall ms for one: median | CPU ms for one: mean | wall ÷ the first's | CPU ÷ the first's |\n|---|---|---|---|---|\n", load())
	for i, p := range programs {
		fmt.Printf("| %s | %.1f | %.1f | %.2f | %.2f |\n", p.name, median(took[i]), median(cpu[i]), median(took[i])/median(took[0]), median(cpu[i])/median(cpu[0]))
	}
	return nil
}

// sharpModules returns the node_modules in which sharp is; it installs it where -sharp is "npm".
func (b *bench) sharpModules(ctx context.Context) (string, error) {
	if *sharp != "npm" {
		return filepath.Abs(*sharp)
	}
	dir := filepath.Join(b.dir, "sharp")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	install := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", sharpVersion) //nolint:gosec // a constant
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install %s: %w\n%s", sharpVersion, err, out)
	}
	return filepath.Join(dir, "node_modules"), nil
}

// fitOnce makes a picture fit n times, some at once, and prints the median of the milliseconds that the later half took, and the mean of the
// processor's time.
func fitOnce(file string, n, atOnce int) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var began, ended syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &began); err != nil {
		return err
	}
	var f media.Fitter
	var wg sync.WaitGroup
	var mu sync.Mutex
	var took []float64
	var failed error
	tokens := make(chan struct{}, atOnce)
	for i := range n {
		tokens <- struct{}{}
		wg.Go(func() {
			start := time.Now()
			each := append(bytes.Clone(source), byte(i)) // another file, so that nothing is remembered; what follows the end is not read
			sum := sha256.Sum256(each)
			_, err := f.Fit(hex.EncodeToString(sum[:]), each, fitted)
			mu.Lock()
			if took = append(took, ms(time.Since(start))); err != nil {
				failed = err
			}
			mu.Unlock()
			<-tokens
		})
	}
	wg.Wait()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ended); err != nil {
		return err
	}
	used := time.Duration(ended.Utime.Nano() + ended.Stime.Nano() - began.Utime.Nano() - began.Stime.Nano())
	fmt.Println(median(took[n/2:]), ms(used)/float64(n))
	return failed
}

// sharpVersion is what docs/BENCHMARKS.md compares with.
const sharpVersion = "sharp@0.35.5"

const sharpScript = `const [,, folder, file, n, atOnce] = process.argv;
const sharp = require(folder), source = require("fs").readFileSync(file);
sharp.cache(false);
const one = async () => {
  const start = process.hrtime.bigint();
  await sharp(source).rotate().resize(2000, 2000, {fit: "inside"}).jpeg({quality: 88}).toBuffer();
  return Number(process.hrtime.bigint() - start) / 1e6;
};
(async () => {
  const took = [], began = process.cpuUsage();
  for (let i = 0; i < n; i += Number(atOnce)) took.push(...await Promise.all(Array.from({length: atOnce}, one)));
  const late = took.slice(took.length >> 1).sort((a, b) => a - b);
  const used = process.cpuUsage(began);
  console.log(late[late.length >> 1], (used.user + used.system) / 1000 / n);
})();
`

// photograph is the same at every run: soft areas, edges and the noise of a sensor.
func photograph() []byte {
	m := image.NewYCbCr(image.Rect(0, 0, photoWidth, photoHeight), image.YCbCrSubsampleRatio420)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it has to be the same
	for y := range photoHeight {
		for x := range photoWidth {
			v := 128 + 70*math.Sin(float64(x)/170)*math.Cos(float64(y)/230) + 12*math.Sin(float64(x*y)/9000)
			if (x/397+y/261)%5 == 0 {
				v = 255 - v
			}
			m.Y[m.YOffset(x, y)] = uint8(min(255, max(0, v+4*r.NormFloat64())))
			if x%2 == 0 && y%2 == 0 {
				c := color.YCbCr{Cb: uint8(128 + 30*math.Sin(float64(x+y)/300)), Cr: uint8(128 + 30*math.Cos(float64(x-y)/410))}
				m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)] = c.Cb, c.Cr
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
