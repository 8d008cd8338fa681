package invoice

// Yen is an amount of money in whole yen. There is no smaller unit.
type Yen int64
