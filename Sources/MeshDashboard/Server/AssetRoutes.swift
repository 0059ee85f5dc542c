import HTTPTypes
import Hummingbird

/// The files that pages need: they are a part of the program.
struct AssetRoutes: Sendable {
    func add(to router: Router<DashboardContext>) {
        for asset in Asset.all {
            router.get(RouterPath("/static/\(asset.name)")) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: asset.type, .cacheControl: "no-cache"],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: asset.content)))
            }
        }
    }
}
