package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dnasign": main})
}

func TestScripts(t *testing.T) { clitest.Run(t, 4) }
