"""The table of product types that the demo shop sells (parsed by `structure`).

Each line: key: category, family of close substitutes | audiences | materials | uses | features | median price in euro.
A dash means that items of the type have no such attribute.
"""

# A data table reads best with one entry per line, however long.
# ruff: noqa: E501, SIM905

from __future__ import annotations

PRODUCT_TABLE = """
dress: clothing dress | women kids | cotton linen silk polyester | summer party wedding office | washable lightweight | 45
skirt: clothing dress | women kids | cotton denim linen leather | summer office party | washable lightweight | 32
tshirt: clothing top | women men kids | cotton linen polyester | summer gym running | breathable organic fast_drying | 18
shirt: clothing top | women men | cotton linen silk denim | office wedding summer | organic breathable | 39
sweater: clothing knit | women men kids | wool cashmere cotton | winter office | washable extra_soft | 55
cardigan: clothing knit | women men | wool cashmere cotton | office winter relax | washable extra_soft | 52
hoodie: clothing knit | women men kids | cotton fleece polyester | gym travel winter | organic extra_soft | 42
jeans: clothing trousers | women men kids | denim | office party | organic stretch | 59
leggings: clothing trousers | women kids | polyester cotton | yoga running gym | breathable stretch fast_drying | 29
shorts: clothing trousers | women men kids | cotton polyester linen | summer running beach gym | breathable fast_drying | 25
coat: clothing outer | women men kids | wool polyester down | winter office | insulated lightweight | 129
raincoat: clothing outer | women men kids | polyester rubber | rain hiking cycling commuting | waterproof reflective lightweight | 75
pyjamas: clothing night | women men kids | cotton silk fleece | sleep winter relax | organic extra_soft | 34
swimsuit: clothing swim | women men kids | polyester | swim beach | fast_drying stretch | 33
base_layer: clothing base | women men kids | wool polyester | winter hiking running | breathable insulated | 38
socks: clothing base | women men kids | cotton wool | running hiking winter sleep | breathable non_slip | 9
sneakers: shoes sneaker | women men kids | leather canvas mesh | commuting travel gym | breathable lightweight washable | 69
running_shoes: shoes sneaker | women men | mesh polyester | running gym | breathable reflective lightweight | 95
boots: shoes boot | women men kids | leather faux_leather | winter office | waterproof insulated | 99
hiking_boots: shoes boot | women men | leather mesh | hiking camping | waterproof non_slip lightweight | 119
rain_boots: shoes boot | women men kids | rubber | rain gardening dog_walk | waterproof non_slip | 39
sandals: shoes sandal | women men kids | leather faux_leather rubber | summer beach travel | lightweight non_slip | 42
slippers: shoes slipper | women men kids | wool fleece faux_leather | relax winter | non_slip washable extra_soft | 24
heels: shoes formal | women | leather faux_leather | party wedding office | non_slip | 65
loafers: shoes formal | women men | leather faux_leather | office travel wedding | lightweight breathable | 79
backpack: bags backpack | women men kids | canvas polyester leather | travel school hiking commuting | waterproof lightweight with_pockets | 55
handbag: bags handbag | women | leather faux_leather canvas | office party wedding | with_pockets lightweight | 68
suitcase: bags luggage | - | plastic aluminium polyester | travel | lightweight lockable | 110
wallet: bags wallet | women men | leather faux_leather canvas | travel commuting | with_pockets lockable | 29
tote: bags handbag | women | canvas cotton leather | picnic beach commuting | washable foldable with_pockets | 22
laptop_bag: bags backpack | women men | leather polyester canvas | office commuting | waterproof with_pockets | 49
gym_bag: bags luggage | women men | polyester canvas | gym swim yoga | waterproof with_pockets | 36
scarf: accessories scarf | women men kids | wool cashmere silk | winter office | extra_soft lightweight | 28
beanie: accessories hat | women men kids | wool cashmere cotton fleece | winter running | extra_soft reflective | 18
sun_hat: accessories hat | women men kids | cotton straw canvas | summer beach gardening | foldable breathable | 21
gloves: accessories gloves | women men kids | leather wool fleece | winter cycling | touchscreen insulated | 25
belt: accessories belt | women men | leather faux_leather canvas | office wedding | adjustable | 27
sunglasses: accessories eyewear | women men kids | plastic steel | summer beach cycling | polarised lightweight | 45
watch: accessories watch | women men | steel leather silver | office wedding swim | waterproof rechargeable | 120
necklace: accessories jewel | women | silver gold_plated steel | wedding party | adjustable nickel_free | 48
earrings: accessories jewel | women | silver gold_plated | wedding party | nickel_free lightweight | 32
umbrella: accessories umbrella | - | polyester steel | rain commuting travel | foldable windproof | 24
sofa: furniture seating | - | velvet linen leather faux_leather | small_space relax | washable with_storage | 690
armchair: furniture seating | - | velvet linen leather rattan | reading relax nursery | washable adjustable | 290
coffee_table: furniture table | - | oak pine walnut glass steel | small_space coffee | with_storage foldable | 150
desk: furniture table | - | oak pine walnut bamboo steel | home_office school gaming small_space | adjustable with_storage foldable | 210
office_chair: furniture seating | - | mesh leather faux_leather | home_office office gaming | adjustable breathable | 180
bookshelf: furniture storage | - | oak pine walnut bamboo steel | reading small_space school | with_storage stackable | 130
bed_frame: furniture bed | - | oak pine walnut steel velvet | sleep small_space | with_storage quiet | 320
wardrobe: furniture storage | - | oak pine rattan | small_space nursery | with_storage lockable | 380
dining_table: furniture table | - | oak walnut glass pine | party small_space | foldable stain_resistant | 340
tv_stand: furniture storage | - | oak walnut glass steel | gaming relax | with_storage stackable | 160
shoe_rack: furniture storage | - | bamboo steel pine | small_space | stackable foldable | 35
duvet: textiles bedding | - | down cotton polyester wool | sleep winter summer | washable hypoallergenic lightweight | 79
pillow: textiles bedding | - | down cotton bamboo polyester | sleep travel reading | washable hypoallergenic adjustable | 34
bed_sheets: textiles bedding | - | cotton linen silk bamboo | sleep summer nursery | washable organic extra_soft | 49
blanket: textiles blanket | - | wool fleece cotton cashmere | winter relax picnic | washable extra_soft | 39
curtains: textiles curtain | - | linen velvet polyester cotton | sleep nursery home_office | blackout insulated washable | 44
rug: textiles rug | - | wool cotton jute polyester | nursery relax small_space | non_slip washable stain_resistant | 120
towel: textiles towel | - | cotton bamboo linen | beach gym swim relax | fast_drying organic extra_soft | 19
cushion: textiles cushion | - | velvet linen cotton wool | relax reading garden_party | washable stain_resistant | 17
frying_pan: kitchen cookware | - | cast_iron steel aluminium ceramic | small_space camping barbecue | non_stick lightweight | 42
saucepan: kitchen cookware | - | steel aluminium cast_iron ceramic | school camping | non_stick with_lid stackable | 45
chef_knife: kitchen blade | - | steel ceramic | barbecue camping | lightweight dishwasher_safe | 39
cutting_board: kitchen blade | - | bamboo oak walnut plastic | baking barbecue | non_slip dishwasher_safe | 24
kettle: kitchen kettle | - | steel glass plastic cast_iron | tea coffee office | quiet adjustable | 39
coffee_maker: kitchen coffee | - | steel glass plastic | coffee office camping | quiet adjustable | 85
mug: kitchen cup | - | ceramic porcelain steel glass | tea coffee office camping | insulated with_lid dishwasher_safe | 14
baking_tray: kitchen bakeware | - | steel aluminium silicone ceramic | baking | non_stick dishwasher_safe | 18
mixing_bowl: kitchen bakeware | - | steel glass ceramic plastic | baking | non_slip with_lid stackable | 22
lunch_box: kitchen container | - | steel glass plastic bamboo | school office picnic | leakproof insulated stackable | 19
water_bottle: kitchen container | - | steel glass plastic aluminium | gym running hiking school | leakproof insulated lightweight | 21
blender: kitchen appliance | - | glass plastic steel | gym baking | quiet rechargeable dishwasher_safe | 65
floor_lamp: decor lamp | - | steel oak rattan linen | reading relax | dimmable adjustable | 89
desk_lamp: decor lamp | - | steel aluminium oak | home_office school reading | dimmable adjustable rechargeable | 42
string_lights: decor lights | - | glass plastic | garden_party wedding party | rechargeable waterproof dimmable | 22
candle: decor candle | - | glass ceramic wax | relax wedding party | organic with_lid | 19
vase: decor vase | - | ceramic glass porcelain | wedding housewarming | stackable leakproof | 29
wall_art: decor wall | - | canvas paper oak | housewarming nursery home_office | lightweight | 38
mirror: decor wall | - | glass steel oak rattan | small_space housewarming | with_storage adjustable | 69
clock: decor wall | - | steel oak plastic | home_office school housewarming | quiet rechargeable | 34
photo_frame: decor wall | - | oak steel silver glass | wedding housewarming nursery | stackable | 18
moisturiser: beauty skincare | women men | - | winter travel relax | fragrance_free organic | 24
sunscreen: beauty skincare | women men kids | - | beach summer swim | waterproof fragrance_free | 17
hand_cream: beauty skincare | women men | - | winter gardening office | fragrance_free organic | 11
shampoo: beauty hair | women men kids | - | swim travel gym | fragrance_free organic | 13
lipstick: beauty makeup | women | - | party wedding office | waterproof organic | 18
perfume: beauty scent | women men | glass | party wedding office | lightweight | 62
razor: beauty shave | women men | steel plastic bamboo | travel | rechargeable waterproof | 28
bath_salts: beauty bath | - | - | relax sleep | organic fragrance_free | 14
yoga_mat: sports mat | - | rubber cork jute | yoga gym travel | non_slip foldable lightweight | 35
dumbbells: sports weights | - | cast_iron steel rubber | gym small_space | adjustable non_slip | 58
skipping_rope: sports weights | kids women men | steel plastic leather | gym running school | adjustable lightweight | 13
resistance_bands: sports weights | - | rubber cotton | gym yoga travel | non_slip lightweight | 16
bike_helmet: sports cycling | women men kids | plastic | cycling commuting school | adjustable lightweight reflective | 59
bike_light: sports cycling | - | plastic aluminium | cycling commuting | rechargeable waterproof | 25
swim_goggles: sports swim | women men kids | silicone plastic | swim beach | adjustable anti_fog | 19
football: sports ball | kids men | leather rubber polyester | school garden_party | waterproof lightweight | 22
tennis_racket: sports racket | women men kids | aluminium carbon | summer school | lightweight with_pockets | 75
tent: outdoor tent | - | polyester canvas | camping hiking beach | waterproof windproof lightweight | 149
sleeping_bag: outdoor sleep | women men kids | down polyester cotton | camping hiking winter | insulated lightweight washable | 79
camping_stove: outdoor cook | - | steel aluminium | camping hiking picnic | foldable windproof lightweight | 45
headlamp: outdoor light | - | plastic aluminium | running camping hiking dog_walk | rechargeable waterproof adjustable | 29
cool_box: outdoor cook | - | plastic polyester | picnic beach camping barbecue | insulated foldable leakproof | 52
hammock: outdoor sleep | - | cotton polyester | camping relax garden_party | lightweight foldable | 39
trekking_poles: outdoor poles | women men | aluminium carbon | hiking | foldable adjustable lightweight | 49
picnic_basket: outdoor cook | - | rattan bamboo polyester | picnic | insulated with_lid foldable | 48
building_blocks: toys build | kids | plastic oak cork | school nursery | stackable washable | 32
doll: toys doll | kids | cotton plastic | sleep nursery | washable extra_soft | 24
puzzle: toys table_game | kids men women | paper oak cork | relax travel school | foldable | 18
board_game: toys table_game | - | paper oak | party travel relax | foldable | 31
plush: toys doll | kids | cotton fleece polyester | sleep nursery travel | washable hypoallergenic extra_soft | 19
toy_car: toys vehicle | kids | oak plastic steel | nursery travel | rechargeable lightweight | 17
craft_kit: toys craft | kids | paper wax cotton | crafts school | washable | 23
kite: toys outdoor_toy | kids | polyester | beach garden_party | foldable lightweight | 20
headphones: electronics audio | - | plastic aluminium leather | travel commuting running gaming | wireless noise_cancelling rechargeable | 89
speaker: electronics audio | - | plastic oak aluminium | party garden_party beach | wireless waterproof rechargeable | 69
phone_case: electronics phone | - | silicone leather plastic | travel commuting | shockproof lightweight | 18
power_bank: electronics phone | - | plastic aluminium | travel camping commuting | wireless lightweight rechargeable | 34
keyboard: electronics desk_gear | - | plastic aluminium | gaming home_office office | wireless quiet rechargeable | 65
mouse: electronics desk_gear | - | plastic | gaming home_office travel | wireless quiet rechargeable | 32
monitor: electronics screen | - | plastic aluminium | gaming home_office | adjustable | 229
webcam: electronics screen | - | plastic | home_office gaming | adjustable wireless | 54
fitness_tracker: electronics watch | women men | silicone steel | running swim gym sleep | waterproof rechargeable touchscreen | 79
e_reader: electronics screen | - | plastic | reading travel beach | waterproof lightweight rechargeable | 119
notebook: stationery paper | - | paper leather | school office crafts travel | organic with_pockets | 12
pen: stationery writing | - | steel plastic oak | school office | quick_ink lightweight | 9
pencil_case: stationery writing | kids | canvas leather cotton | school crafts | washable with_pockets | 13
planner: stationery paper | women men | paper leather | office school wedding | with_pockets organic | 19
sketchbook: stationery paper | - | paper | crafts travel school | organic | 14
desk_organiser: stationery desk | - | bamboo steel oak leather | home_office office | stackable with_storage | 24
dog_leash: pets walk | - | leather polyester cotton | dog_walk running hiking | reflective adjustable | 19
dog_coat: pets walk | - | polyester fleece wool | dog_walk winter rain | waterproof reflective insulated | 32
dog_bed: pets rest | - | fleece cotton linen | sleep travel | washable non_slip | 49
cat_tree: pets rest | - | pine jute fleece | small_space relax | non_slip washable | 69
pet_bowl: pets feed | - | ceramic steel bamboo | travel camping | non_slip dishwasher_safe foldable | 15
pet_toy: pets play | - | rubber cotton jute | dog_walk travel | washable | 11
planter: garden pot | - | ceramic plastic jute steel | gardening small_space housewarming | stackable lightweight | 24
watering_can: garden tool | kids women men | steel plastic | gardening school | lightweight leakproof | 22
garden_gloves: garden tool | women men kids | leather cotton rubber | gardening | non_slip washable breathable | 12
secateurs: garden tool | - | steel aluminium | gardening | lockable lightweight | 21
garden_chair: garden seat | - | rattan aluminium oak | garden_party barbecue relax small_space | foldable stackable adjustable | 69
barbecue_grill: garden cook | - | steel cast_iron | barbecue camping garden_party | foldable with_lid | 139
parasol: garden shade | - | polyester aluminium | garden_party beach summer | adjustable windproof | 79
bird_feeder: garden bird | - | pine steel glass | gardening housewarming | with_lid windproof | 23
baby_carrier: baby carry | - | cotton linen polyester | travel hiking commuting | adjustable breathable organic | 79
stroller: baby carry | - | aluminium polyester | travel running commuting | foldable lightweight adjustable | 249
cot: baby cot | - | oak pine rattan | nursery sleep | adjustable foldable with_storage | 189
bodysuit: baby wear | - | cotton wool bamboo | sleep summer winter | organic washable extra_soft | 15
bib: baby feed | - | silicone cotton | travel nursery | washable leakproof stain_resistant | 9
night_light: baby light | - | silicone plastic | nursery sleep travel | dimmable rechargeable | 21
changing_bag: baby carry | women men | polyester canvas faux_leather | travel commuting nursery | waterproof with_pockets | 54
"""
