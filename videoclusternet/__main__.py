"""`python -m videoclusternet` is `vcn`."""

from videoclusternet.cli import main

main()
