"""The sending protocol as a model: what each holder, Meta and the clock may do, one step at a time."""
