"""Data sets on which telling faces apart in films is measured, from where they lie on this machine."""
