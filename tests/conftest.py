"""What holds for every test of the project's own suite."""

import signal

# A suite started in the background (nohup, a CI shell) inherits an ignored SIGINT, and would hand it on to the sessions it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
