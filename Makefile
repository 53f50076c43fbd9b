# SPDX-License-Identifier: GPL-2.0
# Thin: each target calls scripts that say more with --help.
#
# KSRC=path	your own 6.12.y tree as the base, instead of the package linux-source-6.12
# O=path	another build folder than out/
# DEBUG=only|no	make test on the debug kernel alone, all of it, or without it
# JOBS=n	parallel jobs; CLANG=path	the BPF compiler

export KSRC O JOBS CLANG BASE FORKS
export CPUS MEM CMD T ONLY DEBUG

.PHONY: help run test soak matrix test-mainline check bench tree export shell vng clean
help:	## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 22
	@sed -n 's/^# \([A-Z]*=\)/  \1/p' $(MAKEFILE_LIST) | expand -t 22

run:	## build everything, boot a VM, run scx_qmap -N 4096 in it under load
	@scripts/setup build vm && scripts/tree && scripts/build kernel tools initramfs && scripts/vm --name demo --cpus $${CPUS:-4} --mem $${MEM:-1024} demo

test:	## build the same, then run all tests in VMs; T="names" for some of them, FORKS=n for more forks
	@scripts/setup build vm drgn && scripts/tree && scripts/build kernel tools selftests $(if $(filter no,$(DEBUG)),,debug) initramfs && tests/run $$T

soak:	## what takes hours: 1,000 times attached, 200 times killed, ten minutes of hotplug, no memory
	@scripts/setup build vm && scripts/tree && scripts/build kernel tools selftests debug initramfs && tests/run --soak $$T

matrix:	## the series on each 6.12 that the package archive offers: applied, built, some of them tested
	@scripts/setup build vm && scripts/matrix

test-mainline:	## the schedulers that were built, on the newest mainline kernel of the package archive
	@scripts/setup build vm && scripts/tree && scripts/build kernel tools selftests initramfs && tests/run mainline mainline-vocabulary

check:	## all that needs no VM: the series applies, is exported, builds patch by patch, style
	@scripts/setup build check && scripts/check

tree:	## the kernel tree to work in, at out/tree: base and one commit a patch
	@scripts/setup build && scripts/tree

export:	## write patches/ and the files that the series adds from that tree
	@scripts/export

bench:	## instructions of system calls, patched and unpatched kernel side by side; CPUS="1 4", COMMIT=y
	@scripts/setup build vm plot && scripts/tree && scripts/build kernel tools selftests && scripts/build patched && scripts/build unpatched && scripts/build initramfs && bench/run $(if $(COMMIT),--commit)

shell:	## a shell in the VM, with the tools in PATH; CPUS=n MEM=MiB
	@scripts/setup build vm && scripts/tree && scripts/build && scripts/vm --shell --name shell --cpus $${CPUS:-4} --mem $${MEM:-1024}

vng:	## the kernel under virtme-ng on this machine's own root; CMD="command"
	@scripts/setup build vm vng && scripts/tree && scripts/build kernel tools && scripts/vng

clean:	## remove what has been built, but not the tree
	@scripts/clean
