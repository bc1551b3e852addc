//! Owns what a program needs of the machine that it is installed on, read from its own bytes.

/// As Debian calls it.
pub(super) const ARCHITECTURE: &str = if cfg!(target_arch = "x86_64") {
    "amd64"
} else if cfg!(target_arch = "aarch64") {
    "arm64"
} else if cfg!(target_arch = "riscv64") {
    "riscv64"
} else {
    std::env::consts::ARCH
};

/// How the names of the versions of the C library's symbols begin.
const SYMBOLS: &[u8] = b"GLIBC_2.";

/// The field `Depends`: the oldest C library that has every symbol that the program asks for.
pub(super) fn libraries(program: &[u8]) -> String {
    let newest = minor_versions(program).max();
    let library = newest.map_or_else(|| "libc6".to_owned(), |minor| format!("libc6 (>= 2.{minor})"));
    format!("{library}, libgcc-s1")
}

fn minor_versions(program: &[u8]) -> impl Iterator<Item = u32> {
    let at = program.windows(SYMBOLS.len()).enumerate().filter(|(_, found)| *found == SYMBOLS);
    at.filter_map(|(at, _)| {
        let rest = program.get(at + SYMBOLS.len()..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(3).copied().collect();
        String::from_utf8(digits).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_decides() {
        let program = b"\0GLIBC_2.4\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_2.\0".as_slice();
        assert_eq!(libraries(program), "libc6 (>= 2.34), libgcc-s1");
        assert_eq!(libraries(b"static"), "libc6, libgcc-s1");
    }
}
