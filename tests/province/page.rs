//! What the page says can be held: its settings are read, its commands are there, its figures are what they are made of.
