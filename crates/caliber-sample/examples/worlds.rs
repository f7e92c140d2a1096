fn main() {
    let out = std::env::args().nth(1).unwrap();
    let seeds: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let rows: u64 = std::env::args().nth(3).unwrap().parse().unwrap();
    let domains: u32 = std::env::args().nth(4).unwrap().parse().unwrap();
    for world in caliber_sample::WorldKind::ALL {
        for platform in ["trade_desk", "pulsepoint"] {
            for seed in 0..seeds {
                let mut r = caliber_sample::Request::new(platform, "display");
                r.rows = Some(rows);
                r.domains = Some(domains);
                r.seed = 1000 + seed;
                r.world = world;
                let p = format!("{out}/{}-{platform}-{seed}.csv", world.name());
                caliber_sample::write(&r, std::path::Path::new(&p)).unwrap();
            }
        }
    }
}
