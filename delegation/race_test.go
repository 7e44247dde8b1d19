//go:build race

package delegation

const raceDetector = true
