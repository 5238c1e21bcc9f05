//! Part of Portolan.
