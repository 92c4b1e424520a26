"""Words for drawn pages: interface labels, names, sentences of a small grammar, and other scripts at a modest share.

Used by every module of `models.pages`. Meaning does not matter here, only how text looks: lengths, cases, digits, scripts.
"""

import random


def _list(text: str) -> tuple[str, ...]:
    """Long lists stay readable as one text."""
    return tuple(text.split("|"))


LABELS = _list(
    "Save|Cancel|Delete|Edit|Open|Close|Next|Back|Continue|Submit|Apply|Reset|Search|Filter|Export|Import|Share|"
    "Copy|Paste|Undo|Redo|Print|Download|Upload|Refresh|Retry|Help|About|Settings|Profile|Account|Logout|Sign in|"
    "Sign up|Register|Subscribe|Follow|Reply|Forward|Archive|Move|Rename|Duplicate|Add item|New file|New folder|"
    "Create|Update|Publish|Preview|Details|More|Less|Show all|View|Browse|Choose file|Add to cart|Buy now|Checkout|"
    "Confirm|Accept|Decline|Start|Stop|Pause|Run|Build|Deploy|Merge|Commit|Compare|Connect|Disconnect|Enable|"
    "Disable|Install|Remove|Invite|Assign|Approve|Reject|Schedule|Book a table|Get started|Learn more|Read more|"
    "Try it free|Contact us|Send message|Load more|Select all|Clear|OK|Yes|No|Done|Skip|Finish|Previous|Sort by|"
    "Group by|Pin|Unpin|Mute|Report|Block|Join|Leave|Record|Attach|Sync|Lock|Unlock|Upgrade"
)
NAV = _list(
    "Home|Overview|Dashboard|Reports|Projects|Tasks|Calendar|Messages|Inbox|Drafts|Sent|Trash|Files|Media|Users|"
    "Teams|Roles|Billing|Invoices|Orders|Products|Customers|Inventory|Shipping|Discounts|Analytics|Audience|Events|"
    "Goals|Activity|Logs|Alerts|Integrations|API keys|Webhooks|Security|Privacy|Appearance|Language|Notifications|"
    "Backups|Domains|Certificates|Docs|Guides|Tutorials|Reference|Examples|Community|Blog|News|Jobs|Press|Contact|"
    "Support|Status|Changelog|Pricing|Features|Solutions|Partners|Gallery|Library|Albums|Artists|Playlists|"
    "Podcasts|Radio|Recipes|Weather|Maps|Sports|Science|Culture|Travel|Opinion|Local|Archive|Favorites|Recent|"
    "Shared|Starred|Tags|Branches|Pipelines|Environments|Releases|Issues"
)
FIELDS = _list(
    "Email|Password|Username|First name|Last name|Full name|Phone|Company|Address|Street|City|Postal code|Country|"
    "State|Date|Birthday|Time|Website|Title|Subject|Message|Comment|Description|Notes|Quantity|Price|Amount|"
    "Currency|Color|Size|Weight|Category|Priority|Status|Owner|Department|Reference|Coupon|Card number|Expiry|CVC|"
    "Account|Amount due|Start date|End date|From|To|Location|Rooms|Guests|Language|Time zone|Theme|Format|Port|"
    "Host|Database|Path|Token|Version|Branch|Tag|Keywords"
)
NOUNS = _list(
    "garden|river|engine|market|signal|lantern|harbor|window|forest|bridge|planet|letter|kitchen|museum|pattern|"
    "system|network|budget|process|teacher|village|mountain|journey|station|painter|record|method|answer|question|"
    "season|weather|factor|module|function|server|message|reader|library|project|document|picture|machine|driver|"
    "account|customer|product|city|team|sample"
)
VERBS = _list(
    "shows|carries|holds|follows|explains|measures|reaches|opens|keeps|finds|builds|moves|returns|changes|"
    "describes|joins|needs|supports|replaces|compares|collects|delivers|reduces|protects|brings|reads|writes|"
    "covers|limits|connects"
)
ADJECTIVES = _list(
    "small|quiet|early|bright|local|common|simple|careful|recent|broad|narrow|steady|public|open|modern|ancient|"
    "green|warm|cold|useful|rare|plain|direct|hidden|final|average|minor|major|shared|single"
)
JOINERS = _list("and then|while|because|although|so that|whenever|before|after|unless|which means")
FIRST = _list(
    "Ana|Boris|Chen|Dalia|Emil|Fatou|Goran|Hana|Ivo|Jana|Kofi|Lena|Mirko|Nora|Omar|Petra|Quentin|Rosa|Sven|Tara|"
    "Uma|Viktor"
)
LAST = _list(
    "Abel|Brandt|Costa|Dahl|Eriksen|Fontana|Garnier|Horvat|Ito|Jansen|Keller|Lund|Moreau|Novak|Okafor|Pavlov|Quist|"
    "Rossi|Silva"
)
MONTHS = _list("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
WEEKDAYS = _list("Mon|Tue|Wed|Thu|Fri|Sat|Sun")

# A few everyday words per language; order carries no sense, the look of the script is all that is wanted.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "de": _list(
        "Speichern|Abbrechen|Einstellungen|Übersicht|Benutzer|Straße|Größe|Rechnung|wählen|und|für|über|der|die|Bestellung|schließen|Lösung"
    ),
    "fr": _list(
        "Enregistrer|Annuler|Paramètres|Aperçu|été|où|déjà|le|la|une|adresse|commande|fermer|préférences|créer|fenêtre|réponse"
    ),
    "es": _list(
        "Guardar|Cancelar|Ajustes|Resumen|Usuario|dirección|año|mañana|el|la|una|pedido|cerrar|búsqueda|página|número|rápido"
    ),
    "pl": _list(
        "Zapisz|Anuluj|Ustawienia|Przegląd|użytkownik|ulica|źródło|łąka|i|w|na|zamówienie|zamknij|wyszukaj|więcej|część|gość"
    ),
    "tr": _list(
        "Kaydet|İptal|Ayarlar|Genel|kullanıcı|adres|büyük|ışık|ve|için|sipariş|kapat|arama|sayfa|güneş|çocuk|şehir"
    ),
    "ru": _list(
        "Сохранить|Отмена|Настройки|Обзор|Поиск|Заказ|адрес|город|и|на|для|новый|закрыть|открыть|сообщение|страница|пользователь"
    ),
    "el": _list("Αποθήκευση|Άκυρο|Ρυθμίσεις|Αναζήτηση|Νέο|σελίδα|και|για|το|χρήστης|μήνυμα|διεύθυνση|κλείσιμο|πόλη"),
    "ja": _list("保存|キャンセル|設定|検索|ユーザー|注文|住所|新規|閉じる|開く|お知らせ|一覧|編集|削除|次へ|戻る"),
    "zh": _list("保存|取消|设置|搜索|用户|订单|地址|新建|关闭|打开|消息|列表|编辑|删除|下一步|返回|首页"),
    "ko": _list("저장|취소|설정|검색|사용자|주문|주소|새로만들기|닫기|열기|알림|목록|편집|삭제|다음|뒤로"),
    "ar": _list("حفظ|إلغاء|إعدادات|بحث|مستخدم|طلب|عنوان|جديد|إغلاق|فتح|رسالة|قائمة|تحرير|حذف|التالي"),
    "he": _list("שמירה|ביטול|הגדרות|חיפוש|משתמש|הזמנה|כתובת|חדש|סגירה|פתיחה|הודעה|רשימה|עריכה|מחיקה"),
    "hi": _list("सहेजें|रद्द|सेटिंग|खोज|उपयोगकर्ता|आदेश|पता|नया|बंद|खोलें|संदेश|सूची|संपादन|हटाएं"),
}
RIGHT_TO_LEFT = ("ar", "he")
_UNSPACED = ("ja", "zh")


class Words:
    """Draws texts in one language; every call advances the generator it was given."""

    def __init__(self, rng: random.Random, language: str = "en") -> None:
        """Draw with `rng`; `language` is "en" or a key of SCRIPTS."""
        self._rng = rng
        self.language = language

    def _foreign(self, low: int, high: int) -> str:
        gap = "" if self.language in _UNSPACED else " "
        return gap.join(self._rng.choice(SCRIPTS[self.language]) for _ in range(self._rng.randint(low, high)))

    def _mixed(self) -> bool:
        # Real pages in other languages keep some English; it also keeps Latin glyphs frequent.
        return self.language != "en" and self._rng.random() < 0.8

    def label(self) -> str:
        """What a button says."""
        return self._foreign(1, 2) if self._mixed() else self._rng.choice(LABELS)

    def nav(self) -> str:
        """What a navigation entry says."""
        return self._foreign(1, 2) if self._mixed() else self._rng.choice(NAV)

    def field(self) -> str:
        """What a form field is called."""
        return self._foreign(1, 2) if self._mixed() else self._rng.choice(FIELDS)

    def noun(self) -> str:
        """One plain word."""
        return self._foreign(1, 1) if self._mixed() else self._rng.choice(NOUNS)

    def title(self, low: int = 1, high: int = 5) -> str:
        """A heading of `low` to `high` words."""
        if self._mixed():
            return self._foreign(low, high)
        words = [
            self._rng.choice(self._rng.choice((NOUNS, ADJECTIVES, NAV))) for _ in range(self._rng.randint(low, high))
        ]
        return " ".join(words).capitalize() if self._rng.random() < 0.6 else " ".join(words).title()

    def phrase(self, low: int = 2, high: int = 4) -> str:
        """Some words in lower case."""
        if self._mixed():
            return self._foreign(low, high)
        return " ".join(
            self._rng.choice(self._rng.choice((NOUNS, ADJECTIVES))) for _ in range(self._rng.randint(low, high))
        )

    def sentence(self) -> str:
        """One sentence."""
        if self._mixed():
            return self._foreign(5, 14) + "."
        rng = self._rng

        def clause() -> str:
            adjective = f"{rng.choice(ADJECTIVES)} " if rng.random() < 0.5 else ""
            tail = f" in the {rng.choice(NOUNS)}" if rng.random() < 0.4 else ""
            return f"the {adjective}{rng.choice(NOUNS)} {rng.choice(VERBS)} a {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}{tail}"

        text = clause() + (f", {rng.choice(JOINERS)} {clause()}" if rng.random() < 0.45 else "")
        return text[0].upper() + text[1:] + rng.choice((".", ".", ".", "!", "?"))

    def prose(self, low: int = 2, high: int = 5) -> str:
        """Some sentences."""
        return " ".join(self.sentence() for _ in range(self._rng.randint(low, high)))

    def person(self) -> str:
        """A name."""
        return f"{self._rng.choice(FIRST)} {self._rng.choice(LAST)}"

    def email(self) -> str:
        """A mail address that belongs to nobody."""
        return f"{self._rng.choice(FIRST).lower()}.{self._rng.choice(LAST).lower()}@example.{self._rng.choice(('com', 'org', 'net'))}"

    def money(self) -> str:
        """An amount with its currency."""
        amount = self._rng.choice(
            (f"{self._rng.randint(1, 999)}.{self._rng.randint(0, 99):02d}", f"{self._rng.randint(1, 99_999):,}")
        )
        return self._rng.choice(("$", "€", "£", "")) + amount

    def number(self) -> str:
        """Digits as dashboards show them."""
        rng = self._rng
        return rng.choice(
            (
                str(rng.randint(0, 99)),
                f"{rng.randint(100, 99_999):,}",
                f"{rng.randint(0, 100)}%",
                f"{rng.uniform(0, 90):.1f}k",
            )
        )

    def date(self) -> str:
        """A date in one of four notations."""
        rng = self._rng
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2015, 2026)
        return rng.choice(
            (
                f"{year}-{month:02d}-{day:02d}",
                f"{day} {MONTHS[month - 1]} {year}",
                f"{month}/{day}/{year}",
                f"{rng.randint(1, 23)} hours ago",
            )
        )

    def file(self) -> str:
        """A file name."""
        return f"{self._rng.choice(NOUNS)}{self._rng.choice(('', '_v2', '-final', '2024'))}.{self._rng.choice(('txt', 'png', 'pdf', 'py', 'md', 'csv', 'zip'))}"

    def value(self) -> str:
        """What may stand in a table cell."""
        return self._rng.choice((self.person, self.money, self.number, self.date, self.file, self.phrase, self.email))()
