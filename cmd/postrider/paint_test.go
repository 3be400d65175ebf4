package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"strings"
)

// paint is a browser, as far as pictures of cards need one: it draws a box on a page, in a colour and of a size that follow from the page's
// words.
func paint(args []string) int {
	shot, page := "", strings.TrimPrefix(args[len(args)-1], "file://")
	for _, a := range args {
		if name, ok := strings.CutPrefix(a, "--screenshot="); ok {
			shot = name
		}
	}
	src, err := os.ReadFile(page)
	if err == nil {
		for _, name := range []string{"GITHUB_TOKEN", "POSTRIDER_FORGE_TOKEN"} {
			if os.Getenv(name) != "" {
				err = fmt.Errorf("the browser was given %s", name)
			}
		}
	}
	var b bytes.Buffer
	if err == nil {
		sum := crc32.ChecksumIEEE(src)
		img := image.NewRGBA(image.Rect(0, 0, 600, 400))
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
		box := image.Rect(16, 16, 400, 100+int(sum%100))
		draw.Draw(img, box, image.NewUniform(color.RGBA{uint8(sum), uint8(sum >> 8), uint8(sum >> 16), 255}), image.Point{}, draw.Src)
		err = png.Encode(&b, img)
	}
	if err == nil {
		err = os.WriteFile(shot, b.Bytes(), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// crash is a browser that cannot run here.
func crash() int {
	fmt.Fprintln(os.Stderr, "[42:42:1122/120000.1:FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox!")
	return 133
}
