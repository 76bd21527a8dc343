//  cmb_codes.h - CMB's code lists and the converters that work by them.

#ifndef CMB_CODES_H
#define CMB_CODES_H

#include "sdk/convert.h"

extern const pb_convert_t cmb_plate;    //  Sent without blanks and dots
extern const pb_convert_t cmb_lane;     //  in_code, out_code: 0 to 255
extern const pb_convert_t cmb_any_lane; //  As received: any number
extern const pb_convert_t cmb_fen;
extern const pb_convert_t cmb_limit;       //  Read: 0 is "not known"
extern const pb_convert_t cmb_plate_color; //  body_color too
extern const pb_convert_t cmb_car_type;
extern const pb_convert_t cmb_power_type;
extern const pb_convert_t cmb_auth_type;
extern const pb_convert_t cmb_model;
extern const pb_convert_t cmb_pay_type;
extern const pb_convert_t cmb_discount_unit;
extern const pb_convert_t cmb_discount_value;

#endif
