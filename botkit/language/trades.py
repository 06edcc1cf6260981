"""Words of other trades: the bank, the gym, the train, the telephone's apps.

"Cancel my gym membership" is in a shop's own words but for one, and that one says whose business it is. A question that
names a trade which neither the article found nor the index speaks of is likely another's. Words that a shop's customer
says beside the point (places, days, kin) are not here, nor those that mean a shop's thing, too (a visa, a ticket, tax).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from botkit.language.forms import folded

# trade: words, in any folding; with a * those that begin so.
WORDS = {
    "en": """
        social: facebook* instagram* insta tiktok* youtube* twitter snapchat linkedin* telegram* reddit
        mail: gmail* outlook hotmail*
        streaming: netflix* spotify* hulu disney*
        market: amazon* ebay* aliexpress*
        bank: bank banks banking mortgage* loan loans overdraft* atm
        stocks: bitcoin* crypto* invest*
        gym: gym gyms yoga* pilates fitness* marathon* workout*
        library: libraries librarian* library
        school: school schools homework* exam exams teacher* kindergarten* nursery pupil*
        university: university universities college* scholarship* thesis
        doctor: doctor doctors dentist* hospital* surgeon* clinic* nurse*
        health: headache* fever* vaccin* antibiotic* calorie* diet pregnan* toothache* prescription*
        pharmacy: pharmacy pharmacies pharmacist* aspirin*
        hotel: hotel* hostel* airbnb*
        restaurant: restaurant* pizzeria* waiter*
        flight: flight* fly flying airport* airline* plane planes airplane*
        train: train trains railway* metro subway
        bus: bus buses tram trams ferry ferries
        taxi: taxi* uber
        car: car cars tyre* tire tires petrol* gasoline* mechanic*
        licence: licence licences
        bicycle: bicycle* bike bikes scooter* motorcycle* motorbike*
        parking: parking parked
        cinema: cinema* movie movies film films actor* actress*
        concert: concert* theatre* theater* festival* opera* gig gigs
        museum: museum* zoo zoos
        passport: passport* embassy* consulate*
        law: lawyer* attorney* solicitor* lawsuit* notary divorce*
        police: police* burglar*
        landlord: landlord* tenant* rental rents flatmate* rentals
        energy: electricity* heating boiler* plumber*
        internet: wifi router* broadband*
        telephone: iphone* android* sim roaming
        computer: laptop* computer* printer* macbook* keyboard*
        software: python javascript excel powerpoint photoshop wordpress software* spreadsheet*
        job: salary salaries freelance* unemploy* resume cv
        pension: pension*
        animals: horse horses rabbit* hamster* parrot* aquarium*
        recipe: recipe* pizza* soup soups pasta* lasagne* lasagna* lentil*
        weather: weather* snow snowing forecast*
        sport: football* soccer* basketball* tennis* olympic* goal goals
        politics: president* election* parliament* minister* senator*
        space: planet* moon astronaut* galaxy
        science: equation* chemistry physics dinosaur* volcano*
        music: guitar* piano* violin* song songs lyrics
        game: chess* playstation* xbox* minecraft* fortnite*
        appliances: oven ovens fridge* refrigerator* dishwasher* freezer* microwave* vacuum*
        bathroom: toilet* faucet* bathtub*
        garden: lawn* tomato tomatoes deck greenhouse* fertili*
        hair: haircut* hairdresser* barber* tattoo* manicure*
        cleaning: cleaner babysitter* nanny
        love: boyfriend* girlfriend* dating horoscope*
        vet: vet vets puppy puppies leash*
    """,
    "ar": """
        social: فيسبوك* فيس انستغرام* انستقرام* انستجرام* تيكتوك* تيك يوتيوب* تويتر* سناب* لينكد* تلغرام* تليجرام*
        mail: جيميل* gmail*
        streaming: نتفلكس* نتفليكس* سبوتيفاي* netflix* spotify*
        market: امازون* ايباي* amazon* ebay*
        bank: بنك* بنوك مصرف* مصارف* قرض قروض
        stocks: بيتكوين* اسهم بورصه
        gym: جيم نادي نوادي يوغا يوجا ماراثون*
        library: مكتبه مكتبات مكتبتي
        school: مدرسه مدارس واجب واجبات امتحان* معلم معلمه مدرس روضه حضانه
        university: جامعه جامعات جامعتي منحه
        doctor: طبيب* دكتور* مستشفي* عياده اسنان جراح
        health: صداع لقاح* سعرات حميه رجيم حمل
        pharmacy: صيدليه صيدليات اسبرين*
        hotel: فندق* فنادق
        restaurant: مطعم مطاعم نادل
        flight: طيران طايره طائره طائرات مطار* رحله رحلات
        train: قطار* مترو
        bus: باص* حافله حافلات اتوبيس* ترام عباره
        taxi: تاكسي* اوبر*
        car: سياره سيارات سيارتي عربيه بنزين ميكانيكي كفرات
        licence: رخصه القياده
        bicycle: دراجه دراجات دراجتي بسكليت* سكوتر
        parking: موقف مواقف
        cinema: سينما فيلم افلام ممثل*
        concert: مسرح* مهرجان* كونسرت*
        museum: متحف* متاحف
        passport: جواز جوازات سفاره سفارات قنصليه
        law: محامي* محكمه طلاق
        police: شرطه
        landlord: ايجار* مستاجر*
        energy: كهرباء* كهربا سباك* سخان
        internet: راوتر*
        telephone: ايفون* اندرويد* شريحه
        computer: لابتوب* كمبيوتر* حاسوب* طابعه
        software: بايثون* اكسل* برمجه فوتوشوب*
        job: راتب* رواتب
        pension: تقاعد*
        animals: حصان خيل ارنب* ببغاء*
        recipe: وصفه وصفات بيتزا شوربه معكرونه عدس
        weather: طقس مطر تمطر ثلج تثلج
        sport: مباراه مباريات كوره منتخب اولمبي*
        politics: رئيس انتخابات برلمان وزير
        space: كوكب كواكب قمر فضاء
        science: معادله كيمياء فيزياء ديناصور* بركان
        music: غيتار* جيتار* بيانو* اغنيه اغاني
        game: شطرنج* بلايستيشن* فورتنايت*
        appliances: فرن افران ثلاجه غساله ميكروويف* مكنسه
        bathroom: مرحاض حنفيه صنبور
        garden: عشب طماطم سماد
        hair: حلاق* وشم صالون
        cleaning: مربيه جليسه
        love: حبيبتي حبيبي ابراج
        vet: بيطري*
    """,
    "tr": """
        social: facebook* instagram* insta tiktok* youtube* twitter* snapchat* linkedin* telegram* feysbuk*
        mail: gmail* outlook* hotmail*
        streaming: netflix* spotify* disney*
        market: amazon* trendyol* hepsiburada* ebay*
        bank: banka bankası* bankam* bankan* bankada* bankaya* bankac* bankalar* atm
        stocks: bitcoin* kripto* borsa* hisse*
        gym: spor sporu fitness* yoga* pilates* maraton*
        library: kütüphane*
        school: okul* ödev* sınav* öğretmen* anaokul* kreş*
        university: üniversite* burs bursu bursum tez tezi
        doctor: doktor* dişçi* hastane* hekim* klinik* ameliyat*
        health: ateş ateşim aşı aşısı ağrısı kalori* diyet* hamile* gebelik*
        pharmacy: eczane* aspirin*
        hotel: otel oteli otelde* oteller* hostel*
        restaurant: restoran* lokanta* garson*
        flight: uçuş* uçak* uçağ* havaalan* havaliman* havayol*
        train: tren treni trene trenle trenin trenler* metro metroya metroda
        bus: otobüs* dolmuş* tramvay* feribot* vapur*
        taxi: taksi taksiye taksici* uber
        car: araba arabam* arabay* arabal* araban* otomobil* benzin* tamirci*
        licence: ehliyet* ruhsat*
        bicycle: bisiklet* motosiklet* scooter*
        parking: otopark*
        cinema: sinema* film filmi filmler* oyuncu*
        concert: konser* tiyatro* festival* opera*
        museum: müze* hayvanat*
        passport: pasaport* büyükelçi* konsolos*
        law: avukat* mahkeme* noter* boşanma*
        police: polis polise polisi karakol*
        landlord: kira kiram* kiray* kirac* kiral* evsahib*
        energy: elektrik* doğalgaz* kombi* tesisatçı*
        internet: wifi modem*
        telephone: iphone* android* sim
        computer: bilgisayar* laptop* yazıcı*
        software: python* excel* javascript* photoshop* yazılım*
        job: maaş* özgeçmiş* freelance*
        pension: emekli*
        animals: tavşan* papağan* hamster* akvaryum*
        recipe: pizza* çorba* makarna* mercimek* mercimeğ*
        weather: yağmur* kar karı
        sport: futbol* basketbol* maç maçı maçta maçlar* olimpi* gol golü
        politics: cumhurbaşkan* seçim* meclis*
        space: gezegen* astronot* uzay*
        science: denklem* kimya* fizik* dinozor* yanardağ*
        music: gitar* piyano* şarkı* keman*
        game: satranç* playstation* minecraft*
        appliances: fırın* buzdolab* bulaşık* çamaşır* mikrodalga* süpürge*
        bathroom: tuvalet* musluk* musluğ* klozet*
        garden: çim çimi çimler* domates* gübre*
        hair: kuaför* berber* dövme* manikür*
        cleaning: bakıcı* temizlikçi*
        love: sevgili* burcu burç*
        vet: veteriner*
    """,
    "fa": """
        social: فیسبوک* اینستا* تیکتاک* تیک یوتیوب* توییتر* لینکدین* تلگرام* facebook* instagram* tiktok* youtube*
        mail: جیمیل* gmail*
        streaming: نتفلیکس* اسپاتیفای* فیلیمو* netflix* spotify*
        market: آمازون* دیجیکالا* ebay* amazon*
        bank: بانک* وام وامم وامی
        stocks: بیتکوین* بورس* سهام*
        gym: باشگاه* یوگا* ماراتن* ورزش*
        library: کتابخانه* کتابخونه*
        school: مدرسه* مدارس امتحانات امتحانم معلم* مشق کنکور* مهدکودک*
        university: دانشگاه* بورسیه*
        doctor: دکتر* پزشک* بیمارستان* دندان* دندون* جراح* درمانگاه*
        health: سردرد* واکسن* کالری* رژیم* باردار* حامله
        pharmacy: داروخانه* داروخونه* آسپرین*
        hotel: هتل*
        restaurant: رستوران* گارسون*
        flight: پرواز* هواپیما* فرودگاه*
        train: قطار* مترو*
        bus: اتوبوس* مینیبوس* کشتی
        taxi: تاکسی* اوبر*
        car: خودرو* اتومبیل* بنزین* لاستیک* مکانیک* ماشینم
        licence: گواهینامه*
        bicycle: دوچرخه* موتورسیکلت* اسکوتر*
        parking: پارکینگ*
        cinema: سینما* فیلم* بازیگر*
        concert: کنسرت* تئاتر* تیاتر* جشنواره*
        museum: موزه*
        passport: پاسپورت* گذرنامه* سفارت* کنسولگری*
        law: وکیل* دادگاه* طلاق* محضر*
        police: پلیس* کلانتری*
        landlord: اجاره* صاحبخانه* صاحبخونه* مستاجر*
        energy: برقم
        internet: وایفای* مودم*
        telephone: آیفون* اندروید* سیمکارت*
        computer: لپتاپ* لپ کامپیوتر* رایانه* پرینتر*
        software: پایتون* اکسل* فتوشاپ*
        job: حقوقم رزومه* فریلنس*
        pension: بازنشست*
        animals: خرگوش* طوطی* اسب اسبم همستر*
        recipe: پیتزا* سوپ ماکارونی* عدسی عدس
        weather: بارون* باران* برف* هواشناسی*
        sport: فوتبال* بسکتبال* المپیک* مسابقه*
        politics: انتخابات* وزیر* جمهور
        space: سیاره* فضانورد* کهکشان*
        science: معادله* شیمی* فیزیک* دایناسور* آتشفشان*
        music: گیتار* پیانو* آهنگ* ویولن*
        game: شطرنج* پلی
        appliances: فر یخچال* ظرفشویی* لباسشویی* مایکروویو* جاروبرقی*
        bathroom: توالت*
        garden: چمن* گوجه* باغچه*
        hair: آرایشگاه* سلمونی* خالکوبی* تتو*
        cleaning: پرستار*
        love: فال
        vet: دامپزشک*
    """,
    "bg": """
        social: фейсбук* инстаграм* тикток* тик ютуб* туитър* линкедин* телеграм* facebook* instagram* tiktok* youtube*
        mail: джимейл* gmail*
        streaming: нетфликс* спотифай* netflix* spotify*
        market: амазон* ибей* olx emag емаг* amazon*
        bank: банка* банки* банков* ипотек* банкомат*
        stocks: биткойн* крипто* борса*
        gym: фитнес* йога* маратон* тренировк*
        library: библиотек*
        school: училищ* домашно домашното изпит* учител*
        university: университет* стипенди* дипломна
        doctor: лекар* доктор* зъболекар* болниц* хирург* клиник*
        health: главоболи* ваксин* калори* диета* бременн*
        pharmacy: аптек* аспирин*
        hotel: хотел* хостел*
        restaurant: ресторант* пицари* сервитьор*
        flight: полет* самолет* летищ* лети летя авиокомпани*
        train: влак влака влакът влакове* метро метрото
        bus: автобус* трамва* ферибот*
        taxi: такси* убер*
        car: кола колата коли колите автомобил* бензин* автосервиз* монтьор*
        licence: шофьорск*
        bicycle: велосипед* колело колелото колела мотор мотора мотоциклет* тротинетк*
        parking: паркинг* паркира*
        cinema: кино киното филм* актьор* актрис*
        concert: концерт* театър* театрал* фестивал* опера операта
        museum: музе* зоопарк*
        passport: паспорт* посолств* консулств*
        law: адвокат* съд съда нотариус* развод*
        police: полици*
        landlord: наем* хазя*
        energy: парно парното бойлер* водопроводчик*
        internet: уайфай wifi рутер*
        telephone: айфон* андроид* iphone* сим
        computer: лаптоп* компютър* компютр* принтер*
        software: питон python excel ексел* фотошоп* софтуер*
        job: заплат* фрийланс* автобиографи*
        pension: пенси*
        animals: заек* зайц* папагал* хамстер* аквариум*
        recipe: рецепт* пица* супа супата леща макарон* мусака*
        weather: вали дъжд* сняг снегът прогноз*
        sport: футбол* баскетбол* мач мача мачът олимпи*
        politics: президент* избори изборите парламент* министър*
        space: планет* луна луната космонавт* галактик*
        science: уравнени* физика* динозавър* динозаври* вулкан* химия химията
        music: китара* пиано* цигулк* песен песни песента
        game: шах шахмат* плейстейшън*
        appliances: фурна* хладилни* съдомиялн* прахосмукачк* микровълнов*
        bathroom: тоалетн* смесител* вана ваната
        garden: трева тревата домати доматите тор парник*
        hair: фризьор* бръснар* татуировк* маникюр*
        cleaning: детегледачк* чистачк*
        love: гадже* хороскоп* зодия*
        vet: ветеринар*
    """,
}
TRADES = tuple(line.split(":")[0].strip() for line in WORDS["en"].strip().splitlines())
_PROCLITICS = re.compile("^[وف]?(?:[بكل]?ال|لل|[بلك])")


def trades(text: str, lang: str | None) -> frozenset[str]:
    """The other trades that a text names, by the words of its language and by English ones."""
    words = folded(text, lang).split()
    return frozenset(
        trade
        for code in dict.fromkeys((lang, "en"))
        if code in WORDS
        for word in words
        for form in _forms(word, code)
        if (trade := _named(form, code))
    )


def _forms(word: str, lang: str) -> Iterator[str]:
    yield word
    if lang == "ar" and len(bare := _PROCLITICS.sub("", word)) > 1:
        yield bare


def _named(word: str, lang: str) -> str | None:
    whole, beginnings = _table(lang)
    if word in whole:
        return whole[word]
    starts = (beginnings.get(word[:size]) for size in range(len(word), 2, -1))
    return next((trade for trade in starts if trade), None)


@functools.cache
def _table(lang: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The trade of each word and of each beginning of words, folded."""
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for line in WORDS[lang].strip().splitlines():
        trade, _, words = line.strip().partition(": ")
        for word in words.split():
            table = beginnings if word.endswith("*") else whole
            table[folded(word, lang)] = trade
    return whole, beginnings
