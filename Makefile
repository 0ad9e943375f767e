# SPDX-License-Identifier: GPL-2.0
#
# For people; Kbuild has a file of its own. `make help` tells the targets.

KDIR     ?= /lib/modules/$(shell uname -r)/build
PREFIX   ?= /usr/local
DESTDIR  ?=
SOURCETREE ?= /usr/src
DKMSFLAGS  ?=
KERNELS  ?= 6.1 6.12
TESTS    ?=
ROWS     ?=
PAIRS    ?=

export KERNELS TESTS ROWS PAIRS

.DELETE_ON_ERROR:
CHECKS := check check-debug check-next check-rt check-long

.PHONY: all module user install install-module install-user dkms dkms-remove headers clean help demo $(CHECKS) bench style docs FORCE

all: module user

headers:
	@[ -e "$(KDIR)/Makefile" ] || { echo >&2 "make: the module is built against kernel headers and there are none in $(KDIR): install them ('apt install linux-headers-$$(uname -r)') or name others with KDIR=; 'make user' builds the rest, and 'make check' needs no headers of this machine"; exit 1; }

module: headers
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" modules

user:
	$(MAKE) -C user O="$(CURDIR)/build/user" PREFIX="$(PREFIX)"

# The module for a kernel of the virtual machine, built apart from all others.
build/kmod-%/ipcmod.ko: FORCE
	@scripts/mirror-sources $(@D)
	@flock $(@D).lock $(MAKE) -C "$$(selftests/vm/kernel $*)/build" M="$(CURDIR)/$(@D)" modules

# A distribution's headers ask for a signature and lack the key for it.
unsigned = $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

# Neither kernelrelease nor kernel.release tell what a kernel of Debian 12 is called.
kernel_release = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"$$/\1/p' "$(KDIR)/include/generated/utsrelease.h" 2>/dev/null)

install: install-module install-user

# depmod speaks for the running system; who installs into DESTDIR runs it later.
install-module: module
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" INSTALL_MOD_PATH="$(DESTDIR)" $(unsigned) modules_install
	$(if $(DESTDIR),,depmod "$(kernel_release)")

install-user: user
	$(MAKE) -C user O="$(CURDIR)/build/user" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" install

dkms_variables = DESTDIR="$(DESTDIR)" SOURCETREE="$(SOURCETREE)" DKMSFLAGS="$(DKMSFLAGS)"

# Into DESTDIR go the sources alone, which need no headers.
dkms: $(if $(DESTDIR),,headers)
	@$(dkms_variables) scripts/dkms install "$(kernel_release)" "$(abspath $(KDIR))"

dkms-remove:
	@$(dkms_variables) scripts/dkms remove

demo:
	@scripts/prerequisites demo
	@selftests/demo/start

check-debug: KERNELS = 6.12-debug
check-long: KERNELS = 6.1 6.12 6.12-debug
check-next: KERNELS = next
check-rt: KERNELS = 6.1-rt 6.12-rt
$(CHECKS):
	@scripts/prerequisites check
	@selftests/check $@

bench:
	@scripts/prerequisites bench
	@scripts/bench

style:
	@scripts/prerequisites style
	@scripts/style

docs:
	@scripts/prerequisites docs
	@scripts/docs

clean:
	rm -rf build
	rm -f ipcmod.ko ipcmod.o ipcmod.mod ipcmod.mod.c ipcmod.mod.o .ipcmod.*.cmd
	rm -f modules.order Module.symvers .modules.order.cmd .Module.symvers.cmd .module-common.o ..module-common.o.cmd
	find kmod -type f '(' -name '*.o' -o -name '.*.cmd' -o -name '*.gcda' -o -name '*.gcno' ')' -delete

help:
	@echo 'make            the module for this machine and everything in user space'
	@echo 'make module     ipcmod.ko; honours KDIR=, ARCH=, CROSS_COMPILE='
	@echo 'make user       libipcx, the tool, the benchmark and the examples, in build/user'
	@echo 'make install    module, library and tool; honours DESTDIR=, PREFIX='
	@echo 'make dkms       the module for this and all later kernels, through dkms; dkms-remove'
	@echo 'make install-user   what make install does but for the module'
	@echo 'make demo       see it work, in a virtual machine'
	@echo 'make check      every test, in virtual machines; KERNELS="$(KERNELS)", TESTS="core pipe ..."'
	@echo 'make check-debug, check-next, check-rt   the same on other kernels (Documentation/testing.rst)'
	@echo 'make check-long   check and check-debug with full numbers: nothing left out for its time'
	@echo 'make bench      ours beside pipe(2) and others, in virtual machines; KERNELS=, ROWS="pipe-64k ...", PAIRS=9'
	@echo 'make style      the static checks'
	@echo 'make docs       the documentation as HTML, in build/docs'
	@echo 'make clean'
	@echo
	@echo 'demo, check, bench, style and docs name what they need and install it on Debian 12.'
