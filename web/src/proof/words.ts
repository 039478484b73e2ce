// What the page says, in the three languages of who stands at a stall.
export type Lang = "ko" | "en" | "vi";
export const LANGS: Lang[] = ["ko", "en", "vi"];
export const LANG_NAMES: Record<Lang, string> = { ko: "한국어", en: "English", vi: "Tiếng Việt" };

/** Of a query and the browser's languages, the one to speak. */
export function langOf(query: string, browser: readonly string[]): Lang {
  const asked = new URLSearchParams(query).get("lang");
  const wanted = [asked ?? "", ...browser].map((one) => one.slice(0, 2).toLowerCase());
  return LANGS.find((lang) => lang === wanted.find((one) => (LANGS as string[]).includes(one))) ?? "en";
}

const ko = {
  page: "이 봉투는 진짜인가요", looking: "이 기기에서 확인하고 있습니다…",
  good: "진짜입니다", goodSub: "{issuer}가 증명한 로트이고, 회수되지 않았습니다.",
  bad: "드시지 마세요", unknown: "아직 다 확인하지 못했습니다",
  "why.revoked": "회수된 로트입니다", "why.expired": "증명 기한이 지났습니다", "why.not-yet-valid": "아직 유효한 때가 아닙니다",
  "why.forged": "위조되었거나 고쳐진 증명서입니다", "why.other-lot": "다른 로트의 증명서입니다", "why.unknown-issuer": "발급 기관을 알 수 없습니다",
  "why.keys-changed": "도시의 열쇠가 예고 없이 바뀌었습니다", "why.not-in-ledger": "도시의 장부에 없는 증명서입니다",
  "why.status-old": "지금은 회수 여부를 물어볼 수 없습니다", "why.status-unknown": "회수 여부를 확인하지 못했습니다",
  "why.ledger-unknown": "장부를 아직 확인하지 못했습니다", "why.no-lot": "이 코드로 증명된 로트가 없습니다", "why.away": "연결되지 않았고 이 기기에 저장된 것도 없습니다",
  "sub.revoked": "판매자에게 돌려주세요. 까닭: {why}", "sub.revokedBare": "판매자에게 돌려주세요.", "sub.expired": "{at}까지였습니다. 판매자에게 물어보세요.",
  "sub.not-yet-valid": "{at}부터 유효합니다.", "sub.forged": "서명이 맞지 않습니다. 이 봉투를 믿지 마시고 {city}에 알려 주세요.",
  "sub.other-lot": "봉투의 코드와 증명서가 서로 다릅니다.", "sub.unknown-issuer": "코드가 가리키는 도시가 발급하지 않았습니다.",
  "sub.keys-changed": "처음 확인했을 때의 열쇠가 새 열쇠를 보증하지 않습니다. 도시에 확인하세요.", "sub.not-in-ledger": "발급 기록이 없으면 믿을 수 없습니다.",
  "sub.status-old": "{at} 이후로 확인하지 못했습니다. 그때는 회수되지 않았습니다.", "sub.status-unknown": "연결된 뒤 다시 확인하세요.",
  "sub.ledger-unknown": "방금 발급되었다면 잠시 뒤 다시 확인하세요.", "sub.no-lot": "코드를 다시 찍어 보세요. 그래도 같으면 가짜일 수 있습니다.", "sub.away": "인터넷에 연결한 뒤 한 번 열면, 다음부터는 연결 없이도 볼 수 있습니다.",
  where: "어디에서 자랐나요", fly: "지도에서 이 마을로 날아가기", origin: "산지", outside: "{city} 밖의 산지입니다",
  what: "무엇인가요", maker: "생산자", variety: "품종", grade: "등급", quantity: "로트 전체", from: "출하", keeps: "보관", days: "{n}일", allergens: "알레르기", none: "없음",
  batch: "로트 번호", number: "상품 번호", restricted: "제한 유통 번호 (GS1): 이 지역 안에서만 쓰는 번호입니다", issuer: "증명", validity: "증명 기간",
  substitute: "대체 산지의 물량입니다", assumed: "예시", "source.measured": "잰 값", "source.stated": "생산자가 밝힌 값", "source.assumed": "예시 (가정)", "source.computed": "계산한 값",
  "grade.special": "특", "grade.upper": "상", "grade.middle": "보통",
  checks: "이 기기가 직접 확인했습니다", checksNote: "서버의 말을 믿지 않고, 서명과 기록을 이 브라우저에서 다시 계산했습니다.",
  "is.issuer.good": "{what}의 이름으로 발급되었습니다", "is.issuer.bad": "코드가 가리키는 도시가 발급하지 않았습니다",
  "is.signature.good": "도시의 서명이 맞습니다", "is.signature.bad": "서명이 맞지 않습니다: 만든 뒤에 고쳐졌습니다",
  "is.lot.good": "봉투의 로트와 같습니다 ({what})", "is.lot.bad": "다른 로트의 증명서입니다 ({what})",
  "is.dates.good": "{at}까지 유효합니다", "is.dates.bad": "기간이 맞지 않습니다 ({at})", "is.dates.unknown": "기간을 믿을 수 없습니다",
  "is.status.good": "회수되지 않았습니다 ({at} 기준)", "is.status.bad": "회수되었습니다 ({at}의 명단)", "is.status.unknown": "회수 여부를 모릅니다",
  "is.status.old": "{at} 이후로 확인하지 못했습니다",
  "is.ledger.good": "도시의 장부 {what}번째에 적혀 있습니다", "is.ledger.bad": "도시의 장부에 없습니다", "is.ledger.unknown": "장부를 확인하지 못했습니다",
  online: "{at}에 확인했습니다", offline: "연결되지 않음 · 이 기기에 저장된 것을 봅니다", again: "다시 확인", saved: "연결 없이도 볼 수 있게 저장했습니다",
  details: "자세히", certificate: "증명서", digest: "지문 (SHA-256)", key: "서명한 열쇠", city: "도시의 이름", host: "이 페이지를 준 곳", took: "확인에 걸린 시간", paste: "다른 증명서 확인하기",
  pasteHint: "증명서(vc+jwt)를 붙여 넣으면 이 봉투의 것인지 확인합니다", checkIt: "확인", back: "봉투의 증명서로 돌아가기", foreign: "붙여 넣은 증명서를 보고 있습니다",
  forget: "이 기기에 고정한 열쇠 잊기", download: "증명서 받기", flat: "읍면동 경계: 통계청 SGIS·행정안전부 (공공누리 1유형)",
};
export type Word = keyof typeof ko;

const en: Record<Word, string> = {
  page: "Is this bag real", looking: "Checking on this device…",
  good: "This bag is real", goodSub: "Certified by {issuer}, and not recalled.",
  bad: "Do not eat this", unknown: "Not everything could be checked yet",
  "why.revoked": "This lot was recalled", "why.expired": "The certificate has expired", "why.not-yet-valid": "The certificate does not hold yet",
  "why.forged": "This certificate is forged or was changed", "why.other-lot": "This certificate is for another lot", "why.unknown-issuer": "Nobody knows who issued this",
  "why.keys-changed": "The city's keys changed without notice", "why.not-in-ledger": "The city's ledger does not hold this certificate",
  "why.status-old": "Nobody can be asked now whether it was recalled", "why.status-unknown": "Whether it was recalled could not be checked",
  "why.ledger-unknown": "The ledger could not be checked yet", "why.no-lot": "No lot was certified under this code", "why.away": "You are offline, and nothing is kept on this device",
  "sub.revoked": "Take it back to the seller. Why: {why}", "sub.revokedBare": "Take it back to the seller.", "sub.expired": "It held until {at}. Ask the seller.",
  "sub.not-yet-valid": "It holds from {at} on.", "sub.forged": "The signature does not fit. Do not trust this bag, and tell {city}.",
  "sub.other-lot": "The code on the bag and the certificate do not belong together.", "sub.unknown-issuer": "It is not from the city that the code leads to.",
  "sub.keys-changed": "The keys seen first do not vouch for the new ones. Ask the city.", "sub.not-in-ledger": "Without an entry it cannot be trusted.",
  "sub.status-old": "Not checked since {at}. It had not been recalled then.", "sub.status-unknown": "Check again once you are online.",
  "sub.ledger-unknown": "If it was issued a moment ago, check again soon.", "sub.no-lot": "Scan the code again. If it stays so, the bag may be a fake.", "sub.away": "Open this once with a connection; after that it works without one.",
  where: "Where it grew", fly: "Fly to this town on the map", origin: "Origin", outside: "Grown outside of {city}",
  what: "What it is", maker: "Producer", variety: "Variety", grade: "Grade", quantity: "The whole lot", from: "Delivered", keeps: "Keeps", days: "{n} days", allergens: "Allergens", none: "none",
  batch: "Batch", number: "Product number", restricted: "Restricted circulation number (GS1): it means something within this region only", issuer: "Certified by", validity: "Holds",
  substitute: "From a substitute origin", assumed: "example", "source.measured": "measured", "source.stated": "stated by the producer", "source.assumed": "example (assumed)", "source.computed": "computed",
  "grade.special": "special", "grade.upper": "upper", "grade.middle": "middle",
  checks: "Checked on this very device", checksNote: "Signatures and records were computed again in this browser; the server's word is not taken.",
  "is.issuer.good": "Issued in the name of {what}", "is.issuer.bad": "Not issued by the city that the code leads to",
  "is.signature.good": "The city's signature fits", "is.signature.bad": "The signature does not fit: something was changed after it was made",
  "is.lot.good": "It is of the lot on the bag ({what})", "is.lot.bad": "It is for another lot ({what})",
  "is.dates.good": "It holds until {at}", "is.dates.bad": "Its dates do not fit ({at})", "is.dates.unknown": "Its dates cannot be believed",
  "is.status.good": "Not recalled, as of {at}", "is.status.bad": "Recalled, by the list of {at}", "is.status.unknown": "Whether it was recalled is not known",
  "is.status.old": "Not checked since {at}",
  "is.ledger.good": "Entry {what} of the city's ledger", "is.ledger.bad": "Not in the city's ledger", "is.ledger.unknown": "The ledger could not be checked",
  online: "Checked at {at}", offline: "Offline · showing what is kept on this device", again: "Check again", saved: "Kept on this device: it works without a connection",
  details: "Details", certificate: "Certificate", digest: "Fingerprint (SHA-256)", key: "Signing key", city: "Name of the city", host: "This page came from", took: "Checking took", paste: "Check another certificate",
  pasteHint: "Paste a certificate (vc+jwt) to see whether it belongs to this bag", checkIt: "Check", back: "Back to this bag's certificate", foreign: "You are looking at a certificate that was pasted",
  forget: "Forget the keys pinned on this device", download: "Get the certificate", flat: "Town boundaries: SGIS, Ministry of the Interior and Safety (KOGL type 1)",
};

const vi: Record<Word, string> = {
  page: "Túi này có thật không", looking: "Đang kiểm tra trên máy này…",
  good: "Túi này là thật", goodSub: "Do {issuer} chứng nhận và không bị thu hồi.",
  bad: "Xin đừng ăn", unknown: "Chưa kiểm tra được hết",
  "why.revoked": "Lô hàng này đã bị thu hồi", "why.expired": "Chứng nhận đã hết hạn", "why.not-yet-valid": "Chứng nhận chưa có hiệu lực",
  "why.forged": "Chứng nhận giả hoặc đã bị sửa", "why.other-lot": "Chứng nhận của lô hàng khác", "why.unknown-issuer": "Không rõ ai đã cấp chứng nhận",
  "why.keys-changed": "Khóa của thành phố đã đổi mà không báo trước", "why.not-in-ledger": "Sổ cái của thành phố không có chứng nhận này",
  "why.status-old": "Hiện không thể hỏi xem có bị thu hồi không", "why.status-unknown": "Chưa kiểm tra được việc thu hồi",
  "why.ledger-unknown": "Chưa kiểm tra được sổ cái", "why.no-lot": "Không có lô hàng nào được chứng nhận với mã này", "why.away": "Không có mạng và máy này chưa lưu gì",
  "sub.revoked": "Hãy trả lại cho người bán. Lý do: {why}", "sub.revokedBare": "Hãy trả lại cho người bán.", "sub.expired": "Có hiệu lực đến {at}. Hãy hỏi người bán.",
  "sub.not-yet-valid": "Có hiệu lực từ {at}.", "sub.forged": "Chữ ký không khớp. Đừng tin túi này và hãy báo cho {city}.",
  "sub.other-lot": "Mã trên túi và chứng nhận không thuộc về nhau.", "sub.unknown-issuer": "Không phải do thành phố mà mã dẫn tới cấp.",
  "sub.keys-changed": "Các khóa thấy lần đầu không bảo đảm cho khóa mới. Hãy hỏi thành phố.", "sub.not-in-ledger": "Không có ghi chép thì không thể tin.",
  "sub.status-old": "Chưa kiểm tra lại từ {at}. Khi đó chưa bị thu hồi.", "sub.status-unknown": "Hãy kiểm tra lại khi có mạng.",
  "sub.ledger-unknown": "Nếu vừa mới cấp, hãy kiểm tra lại sau giây lát.", "sub.no-lot": "Hãy quét lại mã. Nếu vẫn vậy, túi có thể là giả.", "sub.away": "Hãy mở một lần khi có mạng; sau đó xem được cả khi không có mạng.",
  where: "Trồng ở đâu", fly: "Bay tới nơi này trên bản đồ", origin: "Nơi trồng", outside: "Trồng ngoài {city}",
  what: "Đây là gì", maker: "Nhà sản xuất", variety: "Giống", grade: "Hạng", quantity: "Cả lô hàng", from: "Giao hàng", keeps: "Bảo quản", days: "{n} ngày", allergens: "Chất gây dị ứng", none: "không có",
  batch: "Số lô", number: "Mã sản phẩm", restricted: "Mã lưu hành hạn chế (GS1): chỉ có nghĩa trong vùng này", issuer: "Chứng nhận bởi", validity: "Hiệu lực",
  substitute: "Hàng từ nơi thay thế", assumed: "ví dụ", "source.measured": "đã đo", "source.stated": "nhà sản xuất khai", "source.assumed": "ví dụ (giả định)", "source.computed": "tính toán",
  "grade.special": "đặc biệt", "grade.upper": "khá", "grade.middle": "thường",
  checks: "Đã kiểm tra ngay trên máy này", checksNote: "Chữ ký và ghi chép được tính lại trong trình duyệt này, không dựa vào lời của máy chủ.",
  "is.issuer.good": "Cấp dưới tên {what}", "is.issuer.bad": "Không phải do thành phố mà mã dẫn tới cấp",
  "is.signature.good": "Chữ ký của thành phố khớp", "is.signature.bad": "Chữ ký không khớp: đã bị sửa sau khi ký",
  "is.lot.good": "Đúng lô hàng trên túi ({what})", "is.lot.bad": "Của lô hàng khác ({what})",
  "is.dates.good": "Có hiệu lực đến {at}", "is.dates.bad": "Thời hạn không đúng ({at})", "is.dates.unknown": "Không thể tin thời hạn",
  "is.status.good": "Không bị thu hồi, tính đến {at}", "is.status.bad": "Đã bị thu hồi, theo danh sách {at}", "is.status.unknown": "Không rõ có bị thu hồi không",
  "is.status.old": "Chưa kiểm tra lại từ {at}",
  "is.ledger.good": "Mục {what} trong sổ cái của thành phố", "is.ledger.bad": "Không có trong sổ cái của thành phố", "is.ledger.unknown": "Chưa kiểm tra được sổ cái",
  online: "Đã kiểm tra lúc {at}", offline: "Không có mạng · xem bản đã lưu trên máy này", again: "Kiểm tra lại", saved: "Đã lưu trên máy này: xem được cả khi không có mạng",
  details: "Chi tiết", certificate: "Chứng nhận", digest: "Dấu vân tay (SHA-256)", key: "Khóa ký", city: "Tên của thành phố", host: "Trang này đến từ", took: "Thời gian kiểm tra", paste: "Kiểm tra chứng nhận khác",
  pasteHint: "Dán một chứng nhận (vc+jwt) để xem có thuộc túi này không", checkIt: "Kiểm tra", back: "Về chứng nhận của túi này", foreign: "Bạn đang xem một chứng nhận được dán vào",
  forget: "Quên các khóa đã ghim trên máy này", download: "Tải chứng nhận", flat: "Ranh giới: SGIS, Bộ Nội chính và An toàn (KOGL loại 1)",
};

export const WORDS: Record<Lang, Record<Word, string>> = { ko, en, vi };
/** A sentence, with what stands in braces filled in. */
export function say(lang: Lang, word: Word, with_: Record<string, string> = {}): string {
  return WORDS[lang][word].replace(/\{(\w+)\}/g, (_, name: string) => with_[name] ?? "");
}
