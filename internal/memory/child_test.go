package memory

const childVariable = "MEMORY_TEST_CHILD"

var children = map[string]func() int{}
