"""The English words of the demo shop.

Every line is `key: columns`, columns divided by "|", alternatives by ";", the most usual alternative first. Columns are
what the shop writes, what shoppers type, and for some tables more (see `vocabulary.Vocabulary`). In shoppers' columns a
form that starts with "~" stands after the product word.
"""

# A data table reads best with one entry per line, however long.
# ruff: noqa: E501, SIM905

from __future__ import annotations

TABLES = {
    "category": """
clothing: Clothing | clothes; clothing; outfit
shoes: Shoes | shoes; footwear
bags: Bags & Luggage | bag; bags
accessories: Accessories | accessories; accessory
furniture: Furniture | furniture
textiles: Home Textiles | home textiles; soft furnishings
kitchen: Kitchen & Dining | kitchen stuff; kitchenware
decor: Lighting & Decor | home decor; decoration
beauty: Beauty & Care | beauty products; toiletries; cosmetics
sports: Sports & Fitness | sports gear; fitness equipment
outdoor: Outdoor & Camping | outdoor gear; camping gear
toys: Toys & Games | toys; toy
electronics: Electronics | electronics; gadget; gadgets
stationery: Office & Stationery | stationery; office supplies
pets: Pet Supplies | pet supplies; stuff for pets
garden: Garden & Patio | garden stuff; patio
baby: Baby & Nursery | baby stuff; baby things
""",
    "audience": """
women: Women's; Ladies'; Ladies | women; womens; ladies; ~for her; ~for women; ~for my wife; girlfriend
men: Men's; Mens; Gents' | men; mens; ~for him; ~for men; ~for my husband; guys
kids: Kids'; Children's; Junior | kids; childrens; ~for kids; ~for my daughter; ~for my son; toddler
""",
    "colour": """
black: Black; Jet Black; Onyx | black
white: White; Snow; Pure White | white
cream: Cream; Ivory; Ecru | off white; cream; ivory
grey: Grey; Silver Grey; Stone | grey; gray
charcoal: Charcoal; Anthracite; Graphite | dark grey; charcoal; dark gray
navy: Navy; Midnight; Marine | dark blue; navy; navy blue
blue: Blue; Cobalt; Royal | blue; royal blue
light_blue: Sky; Powder Blue; Ice Blue | light blue; baby blue; pale blue
teal: Teal; Petrol; Lagoon | teal; turquoise; blue green
green: Green; Emerald; Forest | green; dark green
olive: Olive; Khaki; Moss | khaki; army green; olive green
red: Red; Scarlet; Cherry | red; bright red
burgundy: Burgundy; Bordeaux; Merlot | wine red; dark red; maroon
pink: Pink; Blush; Rose | pink; light pink
coral: Coral; Salmon; Flamingo | coral; salmon pink
purple: Purple; Aubergine; Lilac | purple; violet; lavender
yellow: Yellow; Lemon; Sunshine | yellow
mustard: Mustard; Ochre; Saffron | dark yellow; mustard
orange: Orange; Tangerine; Rust | orange; burnt orange
brown: Brown; Chocolate; Cognac | brown; dark brown; tan
beige: Beige; Sand; Taupe | beige; nude; light brown
gold: Gold; Champagne; Brass | gold; golden
""",
    "material": """
cotton: Cotton; Jersey Cotton | cotton | soft pure cotton; spun from long cotton fibres
linen: Linen; Washed Linen; Flax | linen | woven from European flax; crisp linen weave
silk: Silk; Mulberry Silk; Satin Silk | silk; silky | mulberry silk with a gentle sheen
polyester: Polyester; Microfibre; Recycled Polyester | polyester; synthetic | easy-care microfibre
denim: Denim; Selvedge | denim; jean | sturdy twill in indigo tradition
leather: Leather; Full-Grain Leather; Nappa | leather; real leather | full-grain hide that ages well
wool: Wool; Merino; Lambswool | wool; woolen; merino; woolly | knitted from merino yarn; fine lambswool
cashmere: Cashmere; Cashmere Blend | cashmere | combed from the undercoat of mountain goats
fleece: Fleece; Sherpa; Polar Fleece | fleece; fluffy; teddy | plush sherpa pile
down: Down; Goose Down; Feather Down | down; feather; goose down | filled with duck feathers
rubber: Rubber; Natural Rubber | rubber | vulcanised natural rubber
canvas: Canvas; Waxed Canvas | canvas | heavy woven canvas
mesh: Mesh; Knit Mesh | mesh | open airy mesh
faux_leather: Faux Leather; Vegan Leather; PU | fake leather; vegan leather; leatherette | animal-free, looks like hide
plastic: Plastic; ABS; Polypropylene | plastic | tough moulded ABS
aluminium: Aluminium; Alloy | aluminum; aluminium; light metal | aircraft-grade alloy
straw: Straw; Raffia | straw; raffia | hand-plaited raffia
steel: Stainless Steel; Steel; Inox | metal; stainless steel; steel | brushed inox that does not rust
silver: Sterling Silver; 925 Silver | silver; sterling silver | hallmarked 925
gold_plated: Gold-Plated; 18k Plated; Vermeil | gold plated; gold | plated with 18 carat
velvet: Velvet; Velour | velvet; velour | sumptuous short pile
rattan: Rattan; Wicker; Cane | wicker; rattan | hand-woven wicker
oak: Oak; Solid Oak; Oak Veneer | oak; wooden; wood | European oak with visible grain
pine: Pine; Nordic Pine | pine; wooden; softwood | knotty Nordic timber
walnut: Walnut; American Walnut | walnut; dark wood | dark, fine-grained hardwood
glass: Glass; Borosilicate; Tempered Glass | glass | clear borosilicate
bamboo: Bamboo; Moso Bamboo | bamboo | fast-growing moso
jute: Jute; Sisal; Seagrass | jute; natural fibre; sisal | rough natural fibre
cast_iron: Cast Iron; Enamelled Iron | cast iron; iron | heavy iron that holds the heat
ceramic: Ceramic; Stoneware; Earthenware | ceramic; pottery; stoneware | glazed stoneware
porcelain: Porcelain; Bone China | porcelain; china | fine bone china
silicone: Silicone; Food-Grade Silicone | silicone | supple food-grade silicone
wax: Soy Wax; Beeswax | soy wax; beeswax | poured from natural wax
paper: Paper; Recycled Paper; Cardboard | paper; cardboard | thick recycled stock
cork: Cork; Natural Cork | cork | peeled from the bark of cork oaks
carbon: Carbon; Carbon Fibre | carbon; carbon fibre | laminated fibre, stiff and light
""",
    "style": """
minimalist: Minimalist; Clean-Line; Pure | simple; minimalist; plain; modern
vintage: Vintage; Heritage; Retro | retro; vintage; old fashioned; antique look
boho: Boho; Bohemian; Ethno | boho; hippie; bohemian
sporty: Sporty; Athletic; Active | sporty; athletic
floral: Floral; Botanical; Blossom Print | flowery; floral; with flowers; flower print
striped: Striped; Breton; Pinstripe | striped; stripy; with stripes
classic: Classic; Timeless; Traditional | classic; elegant; traditional
industrial: Industrial; Loft; Factory | industrial; loft style
scandinavian: Scandinavian; Nordic Style; Hygge | scandi; nordic; scandinavian
""",
    "feature": """
washable: Machine Washable; Easy Care | washable; ~that can go in the washing machine; easy to clean | simply toss it in at 40 degrees
lightweight: Lightweight; Ultralight; Featherlight | light; lightweight; ~not heavy | you will hardly notice the weight
breathable: Breathable; Ventilated; AirFlow | breathable; ~for sweaty people; airy | lets air circulate so you stay dry
organic: Organic; Eco; GOTS | eco friendly; organic; natural; sustainable | grown without pesticides
fast_drying: Quick-Dry; DryTec | quick dry; fast drying; ~that dries quickly | ready again an hour after it got wet
extra_soft: Supersoft; Cloud-Touch; Silky-Soft | soft; cosy; comfy; cuddly | feels like a gentle hug
stretch: Stretch; Flex; Elastane | stretchy; elastic; flexible | moves with every step
insulated: Thermo; Insulated; ThermoCore | warm; insulated; ~that keeps the temperature; thermal | locks the heat in for hours
waterproof: Waterproof; HydroShield; Water-Resistant | waterproof; water resistant; ~that can get wet | sealed against splashes
reflective: Reflective; Hi-Vis; NightGlow | reflective; high visibility; ~to be seen at night | drivers notice you from afar after dusk
non_slip: Anti-Slip; Grip; SureStep | non slip; ~that does not slide; anti slip | stays put on smooth ground
with_pockets: Multi-Pocket; Organiser; Zip Pockets | with pockets; ~with compartments; ~with lots of pockets | everything has its own compartment
lockable: Lockable; TSA Lock; SecureLatch | lockable; ~with lock; secure | closes safely with a key
foldable: Foldable; Collapsible; FlatPack | folding; foldable; ~that folds away; compact | packs flat in seconds
touchscreen: Touchscreen; TouchTip | touch screen; touchscreen; ~for using my phone | swipe your phone with it
adjustable: Adjustable; Multi-Position; Vario | adjustable; ~different heights; ~that can be adjusted | set it to exactly your measure
polarised: Polarised; GlareStop | polarized; anti glare | removes blinding reflections
rechargeable: Rechargeable; USB-C; Battery | rechargeable; usb; ~without batteries; cordless | one charge lasts for days
nickel_free: Nickel-Free; Skin-Safe | hypoallergenic; nickel free; ~for sensitive skin | no irritation for delicate skin
windproof: Windproof; Storm; WindBlock | windproof; ~for windy weather; sturdy | stands firm in a gale
with_storage: With Storage; Storage Compartment; Stow | with storage; ~with space inside; ~with drawers | hides clutter in a roomy drawer
stackable: Stackable; Nesting; Modular | stackable; stacking; ~that fit into each other | several go into one another
quiet: Whisper-Quiet; SilentTech; Silent | quiet; silent; noiseless; ~that makes no noise | you will not hear a thing
stain_resistant: Stain-Resistant; SpillGuard | stain resistant; ~for messy families; stain proof | red wine simply rolls off
hypoallergenic: Hypoallergenic; AllergyCare | anti allergy; ~for dust allergy; hypoallergenic | mites find no home here
blackout: Blackout; Dim-Out; NightBlock | blackout; ~that block light; darkening | even noon turns into night
non_stick: Non-Stick; SlideCoat | non stick; nonstick; ~where nothing burns on | eggs glide right off
with_lid: With Lid; Lidded; Covered | with lid; ~with a cover | a snug cover is in the box
dishwasher_safe: Dishwasher Safe; EasyClean | dishwasher safe; ~for the dishwasher | no washing up by hand
leakproof: Leakproof; Spill-Proof; SealLock | leak proof; ~that does not leak; spill proof | tips over without a drop lost
dimmable: Dimmable; MoodLight; Warm-Dim | dimmable; ~with soft light; ~with brightness control | from bright to barely a glow
fragrance_free: Fragrance-Free; Sensitive; Unscented | unscented; ~for sensitive skin; perfume free | kind to delicate noses
anti_fog: Anti-Fog; ClearView | anti fog; ~that do not steam up | keeps a clear view underwater
wireless: Wireless; Bluetooth; Cable-Free | wireless; bluetooth; ~without cable | pairs with your phone in a second
noise_cancelling: Noise Cancelling; ANC; HushTech | noise cancelling; ~that block out noise; anc | the world around you goes mute
shockproof: Shockproof; DropGuard; Rugged | shockproof; ~if you drop it; unbreakable | survives a fall on concrete
quick_ink: Smudge-Free; InstaDry | smudge free; ~for left handed people | ink dries before your hand arrives
""",
    "use": """
summer: Summer; Sunny-Day | ~for summer; summer; ~for hot weather | something for hot days; things for the heat; what to get for summer | light and airy when temperatures climb; keeps cool in a heatwave
party: Party; Evening; Celebration | party; ~for a night out; ~for a birthday; evening | something for a birthday party; for a night out; new years eve ideas | made to shine when the music starts; turns heads after dark
wedding: Wedding; Bridal; Ceremony | wedding; ~for a wedding guest; bridal | gift for newlyweds; something for a wedding guest; wedding present | for the day two people say yes; worthy of the aisle
office: Office; Business; Work | office; ~for work; business; work | things for work; gift for a colleague; present for my boss | smart from the first meeting to the last; looks right in front of clients
gym: Gym; Training; Workout | gym; workout; ~for training | something for working out; gift for a fitness fan; get in shape | built for sets and reps; made for sweaty sessions
running: Running; Run; Marathon | running; jogging; ~for runners | gift for a runner; something for jogging; marathon training | every kilometre feels easier; from the first five K to 42.195
winter: Winter; Cold-Weather; Polar | winter; ~for cold weather; warm; ~for winter | something warm for winter; against the cold; always freezing | cosy when frost bites; keeps the chill outside
relax: Relax; Lounge; Cosy | cosy; ~for relaxing; lounge; ~for lazy sundays | something cosy for the evening; gift for someone stressed; cosy night in | for slow Sundays; put your feet up and breathe out
travel: Travel; Voyage; On-the-Go | travel; ~for a trip; ~for holidays; traveling | gift for a traveller; things for a long flight; holiday packing | slips into any carry-on; a companion on long-haul flights
yoga: Yoga; Pilates; Asana | yoga; pilates; ~for yoga class | gift for a yogi; something for stretching; yoga beginner | from sun salutation to savasana; follows every pose
beach: Beach; Seaside; Coast | beach; ~for the beach; seaside | day at the sea; what to take to the beach; seaside holiday | sand and salt do no harm; made for dunes and waves
rain: Rain; Wet-Weather; Storm-Day | rain; ~for rainy days; ~for bad weather | something for rainy days; caught in a downpour; wet weather | puddles welcome; laughs at showers and drizzle
hiking: Hiking; Trekking; Trail | hiking; trekking; ~for the mountains; walking | gift for a hiker; things for the mountains; long walk in the hills | for summits and stony paths; from the valley to the peak
cycling: Cycling; Bike; Ride | cycling; bike; ~for bikers; bicycle | gift for a cyclist; for bike rides; something for someone who bikes | made for two wheels; at home in the saddle
commuting: Commuter; City; Urban | commuter; ~for the train; ~for my way to work; city | daily train ride; things for commuters; way to the office | for buses, trains and crowded platforms; made for the daily rush hour
sleep: Sleep; Night; Dream | sleeping; ~for bed; ~for better sleep; bedtime | cannot fall asleep; something for better nights; gift for a bad sleeper | drift off within minutes; for eight undisturbed hours
swim: Swim; Pool; Aqua | swimming; pool; ~for the pool | gift for a swimmer; swimming lessons; for doing laps | lap after lap; loves chlorinated water
camping: Camping; Camp; Expedition | camping; ~for camping trip; ~for a festival | gift for a camper; weekend in a tent; festival packing | for nights under the stars; at home around the campfire
gardening: Gardening; Garden; Green-Thumb | gardening; garden; ~for gardeners | gift for someone with a garden; for growing vegetables; plant lover | for beds, soil and seedlings; happy among tomatoes and roses
dog_walk: Dog-Walk; Walkies | ~for walking the dog; dog walking; ~for walks with dog | gift for a dog owner; walks with the puppy; new puppy | for the early round through the park; tails wag when you take it off the hook
school: School; Student; Campus | school; ~for students; ~for college; back to school | starting school; things for a student; first day at university | for lessons, homework and exams; through every semester
picnic: Picnic; Al Fresco | picnic; ~for the park; ~for eating outside | lunch in the park; something for a picnic date; eating outdoors | spread it all out on the meadow; for sandwiches in the grass
small_space: Compact Living; Space-Saver; Studio | small; ~for small rooms; space saving; ~for a tiny apartment | furnish a tiny flat; little space; moving into a studio | fits where every inch counts; made for narrow rooms
reading: Reading; Bookworm; Library | reading; ~for reading; ~for books | gift for a bookworm; for people who love books; reading corner | one more chapter; for long evenings with a novel
nursery: Nursery; Little Ones; Newborn | nursery; ~for baby room; baby | gift for new parents; baby shower; preparing for a newborn | gentle for the smallest; welcomes the new family member
coffee: Coffee; Barista; Espresso | coffee; ~for coffee lovers; espresso | gift for a coffee lover; better coffee at home; caffeine addict | crema like at the Italian bar; for the first cup at dawn
home_office: Home Office; Workspace; Study | home office; ~for working from home; study | working from home; set up a workplace; gift for a remote worker | for video calls and deep work; makes the spare room productive
gaming: Gaming; Gamer; Esports | gaming; ~for gamers; gamer | gift for a gamer; for playing all night; streaming set up | for late-night raids; never loses a match because of lag
garden_party: Garden Party; Patio; Terrace | ~for the garden; patio; ~for the balcony; outdoor | summer evening on the balcony; friends in the backyard; make the terrace nice | for long evenings on the terrace; when friends sit outside till midnight
barbecue: Barbecue; Grill; BBQ | bbq; grilling; ~for grilling | gift for a grill master; cooking over fire; meat lover | for sausages, steaks and smoke; master of the embers
baking: Baking; Pastry; Patisserie | baking; ~for baking; cake | gift for someone who bakes; making cakes; bread at home | for sponge, sourdough and biscuits; golden crusts every time
tea: Tea; Tea-Time; Infusion | tea; ~for tea; teatime | gift for a tea drinker; five o clock; afternoon cuppa | for loose leaves and a calm moment; steeps to perfection
housewarming: Housewarming; New Home; Gift Edition | housewarming; ~for a new home; gift | moving in present; new flat gift; make a home nicer | a warm welcome between new walls; friends who just got their keys will love it
crafts: Craft; DIY; Creative | craft; diy; ~for drawing; art | rainy afternoon with scissors and glue; gift for a creative person; handmade | for glue, paint and bright ideas; lets imagination run
""",
    "band": """
low: Value; Basic; Essential | cheap; budget; ~on a budget; inexpensive
middle: |
high: Premium; Luxury; Signature | luxury; high end; premium; expensive
""",
    "type": """
dress: Dress; Midi Dress; Gown; Frock | dress; gown
skirt: Skirt; Midi Skirt; Pleated Skirt | skirt
tshirt: T-Shirt; Tee; Crew Neck | t shirt; tshirt; tee; tee shirt
shirt: Shirt; Button-Down; Blouse | shirt; button up; blouse; dress shirt
sweater: Pullover; Sweater; Jumper | sweater; jumper; knitwear
cardigan: Cardigan; Knit Jacket | cardigan; knitted jacket
hoodie: Hoodie; Hooded Sweatshirt; Sweat | hoodie; sweatshirt; hooded sweater
jeans: Jeans; Five-Pocket Trousers; Slim Fit Pants | jeans; denim pants; trousers
leggings: Leggings; Tights | leggings; tights; yoga pants
shorts: Shorts; Bermudas | shorts; short pants
coat: Coat; Overcoat; Parka | coat; winter jacket; parka
raincoat: Rain Jacket; Mac; Slicker | raincoat; rain jacket; anorak
pyjamas: Pyjama Set; Nightwear; Lounge Set | pyjamas; pajamas; pjs; sleepwear
swimsuit: Swimsuit; Swimwear; Bathers | swimsuit; bathing suit; swimwear
base_layer: Base Layer; Thermal Top; Long Johns | thermal underwear; thermals; long underwear
socks: Socks; Crew Socks; Hosiery | socks
sneakers: Trainers; Low-Top; Sneakers | sneakers; trainers; tennis shoes
running_shoes: Running Shoe; Road Racer; Runner | running shoes; joggers; running trainers
boots: Boots; Chelsea Boot; Ankle Boot | boots; ankle boots; booties
hiking_boots: Hiking Boot; Trekking Shoe; Trail Mid | hiking boots; walking boots; mountain shoes
rain_boots: Wellington; Rubber Boot; Gumboot | rain boots; wellies; gumboots
sandals: Sandal; Slides; Espadrille | sandals; flip flops; slides
slippers: Slippers; House Shoe; Mules | slippers; house shoes
heels: Pumps; Stiletto; Court Shoe | heels; high heels; pumps
loafers: Loafers; Moccasin; Slip-On | loafers; dress shoes; moccasins
backpack: Backpack; Rucksack; Daypack | backpack; rucksack; bookbag
handbag: Handbag; Shoulder Bag; Satchel | handbag; purse; crossbody
suitcase: Trolley; Spinner Case; Suitcase | suitcase; luggage; carry on
wallet: Wallet; Billfold; Card Holder | wallet; purse; card holder
tote: Tote; Shopper; Carryall | tote bag; shopping bag; shopper
laptop_bag: Laptop Bag; Briefcase; Notebook Sleeve | laptop bag; computer bag; laptop case
gym_bag: Duffel; Holdall; Weekender | gym bag; sports bag; duffle bag
scarf: Scarf; Shawl; Stole | scarf; shawl; wrap
beanie: Beanie; Knit Cap; Bobble Hat | winter hat; beanie; woolly hat
sun_hat: Sun Hat; Bucket Hat; Fedora | sun hat; summer hat; bucket hat
gloves: Gloves; Mittens | gloves; mittens
belt: Belt; Waist Strap | belt
sunglasses: Sunglasses; Shades; Sun Eyewear | sunglasses; shades
watch: Wristwatch; Chronograph; Timepiece | watch; wrist watch
necklace: Necklace; Pendant; Chain | necklace; chain; pendant
earrings: Earrings; Studs; Hoops | earrings; ear studs; hoops
umbrella: Umbrella; Brolly; Parapluie | umbrella; brolly
sofa: Couch; Settee; 3-Seater; Sofa | sofa; couch; loveseat
armchair: Armchair; Lounge Chair; Wingback | armchair; easy chair; accent chair
coffee_table: Coffee Table; Side Table; Cocktail Table | coffee table; sofa table; end table
desk: Writing Desk; Workstation; Bureau | desk; computer table; work table
office_chair: Swivel Chair; Task Chair; Ergo Chair | office chair; desk chair; computer chair
bookshelf: Bookcase; Shelving Unit; Bookshelf | bookshelf; book shelf; shelves
bed_frame: Bedstead; Platform Bed; Bed Frame | bed; bed frame
wardrobe: Wardrobe; Armoire; Closet System | wardrobe; closet; clothes cupboard
dining_table: Dining Table; Dinner Table; Extending Table | dining table; kitchen table; dinner table
tv_stand: Media Console; Lowboard; Sideboard | tv stand; tv cabinet; tv unit
shoe_rack: Shoe Rack; Shoe Cabinet; Hallway Shelf | shoe rack; shoe storage; shoe shelf
duvet: Duvet; Quilt; Bedspread | comforter; duvet; quilt
pillow: Pillow; Head Support; Neck Pillow | pillow; neck pillow
bed_sheets: Bed Linen Set; Duvet Cover Set; Fitted Sheet | bed sheets; bedding; sheets
blanket: Throw; Plaid; Blanket | blanket; throw; cuddle blanket
curtains: Curtains; Drapes; Window Panels | curtains; drapes
rug: Rug; Carpet; Runner | rug; carpet; mat for living room
towel: Towel; Bath Sheet; Terry Set | towel; bath towel
cushion: Cushion; Scatter Pillow; Cushion Cover | throw pillow; cushion; sofa pillow
frying_pan: Frying Pan; Skillet; Fry Pan | frying pan; skillet; pan
saucepan: Saucepan; Casserole; Stock Pot | pot; saucepan; cooking pot
chef_knife: Chef's Knife; Santoku; Carving Knife | kitchen knife; chef knife; knife
cutting_board: Chopping Board; Carving Board; Serving Board | cutting board; chopping board
kettle: Kettle; Water Boiler; Teakettle | kettle; water boiler
coffee_maker: Coffee Machine; French Press; Drip Brewer | coffee maker; coffee machine
mug: Mug; Tumbler; Cup | mug; cup; coffee cup
baking_tray: Baking Tin; Cake Mould; Muffin Tray | cake pan; baking tray; cake tin
mixing_bowl: Mixing Bowl; Prep Bowl; Salad Bowl | mixing bowl; bowl; salad bowl
lunch_box: Lunch Box; Bento; Food Container | lunch box; bento box; food container
water_bottle: Drinking Bottle; Flask; Hydration Bottle | water bottle; flask; drink bottle
blender: Blender; Smoothie Maker; Liquidiser | blender; smoothie maker; mixer
floor_lamp: Floor Lamp; Standard Lamp; Uplighter | floor lamp; standing lamp
desk_lamp: Desk Lamp; Task Light; Table Lamp | desk lamp; table lamp; reading light
string_lights: String Lights; Light Chain; Garland Lights | fairy lights; string lights
candle: Scented Candle; Pillar Candle; Candle | candle; scented candle
vase: Vase; Flower Vessel; Carafe Vase | vase; flower pot for cut flowers
wall_art: Wall Art; Art Print; Framed Picture | wall art; picture; poster
mirror: Mirror; Looking Glass; Wall Mirror | mirror
clock: Wall Clock; Timepiece; Alarm Clock | clock; wall clock; alarm clock
photo_frame: Photo Frame; Picture Frame; Gallery Frame | picture frame; photo frame
moisturiser: Day Cream; Moisturiser; Hydrating Lotion | face cream; moisturizer; face lotion
sunscreen: Sun Lotion; SPF 50 Cream; Sun Milk | sunscreen; sunblock; sun cream
hand_cream: Hand Balm; Hand Cream | hand cream; hand lotion
shampoo: Shampoo; Hair Wash; Shampoo Bar | shampoo; hair wash
lipstick: Lipstick; Lip Colour; Lip Rouge | lipstick; lip color
perfume: Eau de Parfum; Fragrance; Eau de Toilette | perfume; cologne; scent
razor: Safety Razor; Shaver; Trimmer | razor; shaver
bath_salts: Bath Salts; Bath Soak; Bath Crystals | bath salts; bath bomb; something for the tub
yoga_mat: Yoga Mat; Exercise Mat; Fitness Mat | yoga mat; exercise mat; gym mat
dumbbells: Dumbbell Set; Hand Weights; Kettlebell | weights; dumbbells; hand weights
skipping_rope: Skipping Rope; Speed Rope | jump rope; skipping rope
resistance_bands: Resistance Band Set; Fitness Loop; Pull-Up Band | exercise bands; resistance bands; elastic bands
bike_helmet: Cycle Helmet; Road Helmet; Head Protector | bike helmet; bicycle helmet; helmet
bike_light: Cycle Lamp; Front Light; Rear Light | bike light; bicycle lamp
swim_goggles: Swim Goggles; Diving Mask; Pool Goggles | goggles; swimming glasses
football: Football; Match Ball; Training Ball | soccer ball; football; ball
tennis_racket: Tennis Racquet; Badminton Set; Racket | tennis racket; racquet
tent: Dome Tent; Tunnel Tent; Shelter | tent
sleeping_bag: Sleeping Bag; Mummy Bag | sleeping bag
camping_stove: Gas Cooker; Camping Stove; Burner | camp stove; gas stove; portable cooker
headlamp: Head Torch; Headlamp; Front Beam | headlamp; head torch; headlight
cool_box: Cool Box; Cooler; Chiller Bag | cooler; ice box; cool bag
hammock: Hammock; Hanging Bed | hammock; hanging chair
trekking_poles: Trekking Poles; Walking Sticks; Nordic Poles | hiking sticks; walking poles; trekking poles
picnic_basket: Hamper; Picnic Basket; Picnic Set | picnic basket; hamper
building_blocks: Building Blocks; Construction Set; Stacking Bricks | building blocks; bricks; construction toy
doll: Doll; Rag Doll; Puppet | doll; dolly; puppet
puzzle: Jigsaw; Puzzle; Brain Teaser | puzzle; jigsaw puzzle
board_game: Board Game; Strategy Game; Card Game | board game; family game; card game
plush: Plush Toy; Soft Toy; Cuddly Bear | stuffed animal; teddy bear; plushie
toy_car: Toy Car; Model Vehicle; Tractor | toy car; toy truck; model car
craft_kit: Craft Kit; Bead Set; Modelling Clay | craft set; arts and crafts kit; clay
kite: Kite; Stunt Kite | kite
headphones: Headphones; Over-Ear Headset; Earbuds | headphones; earphones; earbuds; headset
speaker: Loudspeaker; Speaker; Sound Box | speaker; music box; boombox
phone_case: Phone Case; Smartphone Cover; Bumper | phone case; mobile cover; phone cover
power_bank: Power Bank; Battery Pack; Portable Charger | portable charger; power bank; phone charger
keyboard: Keyboard; Mechanical Keyboard; Keypad | keyboard
mouse: Optical Mouse; Mouse; Trackball | mouse; computer mouse
monitor: Display; Monitor; 27-Inch Screen | computer screen; monitor; display
webcam: Webcam; Conference Camera; HD Cam | webcam; camera for computer
fitness_tracker: Activity Band; Fitness Tracker; Smartwatch | fitness tracker; smart watch; step counter
e_reader: E-Reader; Digital Reader; Ebook Device | ebook reader; e reader
notebook: Notebook; Journal; Notepad | notebook; diary; journal
pen: Ballpoint; Rollerball; Fountain Pen | pen; biro; ballpoint pen
pencil_case: Pencil Case; Pen Pouch; Pencil Roll | pencil case; pencil pouch
planner: Planner; Agenda; Organiser | planner; calendar; agenda
sketchbook: Sketchbook; Drawing Pad; Artist Block | sketchbook; drawing paper; drawing pad
desk_organiser: Desk Organiser; Pen Holder; Letter Tray | desk organizer; pen holder
dog_leash: Dog Lead; Leash; Dog Harness | dog leash; dog lead; harness
dog_coat: Dog Coat; Canine Jacket; Pet Jumper | dog coat; dog sweater; clothes for dog
dog_bed: Dog Bed; Pet Basket; Pet Sofa | dog bed; bed for dog; pet bed
cat_tree: Cat Tree; Scratching Post; Climbing Tower | cat tree; scratching post; cat tower
pet_bowl: Feeding Bowl; Pet Bowl; Slow Feeder | dog bowl; cat bowl; food bowl
pet_toy: Chew Toy; Tug Rope; Catnip Mouse | dog toy; cat toy; chew toy
planter: Planter; Flower Pot; Plant Tub | plant pot; flower pot; planter
watering_can: Watering Can; Garden Sprinkler | watering can
garden_gloves: Gardening Gloves; Work Gloves; Rose Gauntlets | garden gloves; work gloves
secateurs: Secateurs; Pruner; Hedge Shears | pruning shears; garden scissors; secateurs
garden_chair: Patio Chair; Deck Chair; Sun Lounger | garden chair; lawn chair; deck chair
barbecue_grill: Charcoal Grill; Kettle Barbecue; Smoker | bbq; grill; barbecue
parasol: Parasol; Sun Shade; Patio Umbrella | sun umbrella; garden umbrella; parasol
bird_feeder: Bird Feeder; Bird House; Nesting Box | bird feeder; bird house
baby_carrier: Baby Carrier; Wrap Sling; Infant Carrier | baby carrier; baby sling
stroller: Pushchair; Buggy; Pram | stroller; buggy; pram
cot: Cot; Crib; Cot Bed | crib; baby bed; cot
bodysuit: Bodysuit; Romper; Babygrow | onesie; baby romper; bodysuit
bib: Bib; Feeding Bib; Drool Cloth | bib; baby bib
night_light: Night Light; Sleep Lamp; Projector Lamp | night light; nightlight; baby lamp
changing_bag: Changing Bag; Nappy Bag | diaper bag; nappy bag; mom bag
""",
}

SIZES = {
    "clothing": ("XS; Size XS", "S; Size S", "M; Size M", "L; Size L", "XL; Size XL", "XXL; Size 2XL"),
    "shoes": tuple(f"EU {size}; {size}" for size in range(36, 46)),
    "bedding": ("Single; 90 x 200", "Double; 140 x 200", "Queen; 160 x 200", "King Size; 180 x 200"),
    "volume": ("50 ml", "100 ml; Travel Size", "250 ml; Family Size"),
    "pets": ("Small", "Medium", "Large"),
}

WRITING = {
    "joiner": " ",
    "title_patterns": (
        "brand audience style type / feature / material / size colour",
        "brand series audience colour material type / use / size",
        "audience type use / brand / colour size",
        "band feature material type use / brand series / colour / noise",
        "brand type colour / audience / feature style / size",
        "type material / brand / style colour / size noise",
        "brand series type / feature / colour",
    ),
    "title_separators": (", ", " - ", " | ", " "),
    "query_patterns": (
        "brand band style feature colour material audience use type size",
        "audience colour material style type feature use band brand size",
        "use feature band type colour brand material style size audience",
        "colour use audience type material feature style brand band size",
    ),
    "noise": "2025 Edition; New In; Best Seller; Special Offer; Free Gift Inside; Limited; Model {code}; {code}; Pack of 2; Boxed",
    "opening": "The {type} by {brand}.; {type} from the {series} line.; Meet your new {type}.; {brand} presents the {series} {type}.; "
    "A {type} you will want to keep.; Discover {brand}.; New from our workshop.",
    "use_sentence": "{text}.; Great choice: {text}.; {text}, say our customers.; What we like: {text}.",
    "feature_sentence": "{text}.; Best of all: {text}.; And {text}.",
    "material_sentence": "Material: {text}.; Made of {text}.; {text}.",
    "colour_sentence": "Colour: {text}.; In {text}.; Shown in {text}.",
    "style_sentence": "{text} look.; {text} design.",
    "cross_sell": "Goes well with our {other}.; Not suitable as a {other}.; Pairs nicely with a {other}.; Also look at the matching {other}.",
    "closing": "Free returns within 30 days.; Delivered in plastic-free packaging.; Two-year guarantee.; Care label inside.; "
    "Ships within 24 hours.; Colours may differ slightly on screen.; Designed in our own studio.; Gift wrapping on request.",
    "amp_words": "Style & Comfort; Form & Function; Soft & Strong; Day & Night",
}

BRANDS = {
    "starts": "Vel Quor Bren Tash Ostri Lum Kel Drav Mira Pell Sunn Harv Ulma Jor Wist Nol Fenn Cald Yar Zem Grell Thal Ebri Skov "
    "Arv Hest Plim Drun".split(),
    "middles": "a o i e ou an or in el umi ava eno".split(),
    "ends": "karn moq brix dell vand tis lunde rosk meru wick pono thal zim garde nesk fyr bolt quay stra hild".split(),
}
SERIES = (
    "Tempora Brisalto Cindrel Morvane Ostinel Pulsar-9 Velocita Glaciem Quietude Voyagis Prana-K Litoral Pluvia Alturis Rotalis "
    "Metrolo Somnia Bracciata Nomadis Viridel Tailwag Scholara Meadowen Angulo-N Folio-Z Piccolino Cremaro Studium Respawn Terrasso "
    "Brasero Farina-L Camelie Threshold Papilio"
).split()
CONFUSIONS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "k": "jl", "l": "k",
    "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "y": "tu",
}  # fmt: skip
PRICE_FACTOR = 1.0
