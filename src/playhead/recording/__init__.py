"""Recording: a tee that puts every event on the tape and changes nothing."""
