package floors

// NewInMemory is InMemory with other limits and another clock.
var NewInMemory = newInMemory
