//! 9001, 9002: sign in and out.

use crate::protocol::hospital::field::node;

node! {
    /// 9001 签到.
    SignIn, SIGN_IN = "signIn" "签到" {
        opter_no "操作员编号" required Plain text(20);
        // Longer than the 20 of the standard where machines have several, or speak IPv6.
        mac "签到MAC地址" required Plain text(100);
        ip "签到IP地址" required Plain text(100);
    }
}

node! {
    /// 9002 签退.
    SignOut, SIGN_OUT = "signOut" "签退" {
        sign_no "签到编号" required Plain text(2000);
        opter_no "操作员编号" required Plain text(20);
    }
}
