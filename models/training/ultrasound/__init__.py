"""Lung ultrasound: clips, their sector, the network and its figures. `../make_ultrasound.py` runs it."""
