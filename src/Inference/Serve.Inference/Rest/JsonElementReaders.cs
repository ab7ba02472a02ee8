using System.Text.Json;

namespace Serve.Inference.Rest;

/// <summary>The ways elements are read from JSON. Numbers that the type cannot hold are refused, not rounded to infinity or wrapped.</summary>
internal static class JsonElementReaders
{
    internal readonly struct OfBool : IJsonElementReader<bool>
    {
        public static string Expected => "true or false";

        public static bool TryRead(ref Utf8JsonReader json, out bool value)
        {
            value = json.TokenType == JsonTokenType.True;
            return value || json.TokenType == JsonTokenType.False;
        }
    }

    internal readonly struct OfUInt8 : IJsonElementReader<byte>
    {
        public static string Expected => "whole numbers of 0 to 255";

        public static bool TryRead(ref Utf8JsonReader json, out byte value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetByte(out value);
        }
    }

    internal readonly struct OfUInt16 : IJsonElementReader<ushort>
    {
        public static string Expected => "whole numbers of 0 to 65535";

        public static bool TryRead(ref Utf8JsonReader json, out ushort value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetUInt16(out value);
        }
    }

    internal readonly struct OfUInt32 : IJsonElementReader<uint>
    {
        public static string Expected => "whole numbers of 0 to 2^32 - 1";

        public static bool TryRead(ref Utf8JsonReader json, out uint value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetUInt32(out value);
        }
    }

    internal readonly struct OfUInt64 : IJsonElementReader<ulong>
    {
        public static string Expected => "whole numbers of 0 to 2^64 - 1";

        public static bool TryRead(ref Utf8JsonReader json, out ulong value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetUInt64(out value);
        }
    }

    internal readonly struct OfInt8 : IJsonElementReader<sbyte>
    {
        public static string Expected => "whole numbers of -128 to 127";

        public static bool TryRead(ref Utf8JsonReader json, out sbyte value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetSByte(out value);
        }
    }

    internal readonly struct OfInt16 : IJsonElementReader<short>
    {
        public static string Expected => "whole numbers of -32768 to 32767";

        public static bool TryRead(ref Utf8JsonReader json, out short value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetInt16(out value);
        }
    }

    internal readonly struct OfInt32 : IJsonElementReader<int>
    {
        public static string Expected => "whole numbers of 32 bits";

        public static bool TryRead(ref Utf8JsonReader json, out int value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out value);
        }
    }

    internal readonly struct OfInt64 : IJsonElementReader<long>
    {
        public static string Expected => "whole numbers of 64 bits";

        public static bool TryRead(ref Utf8JsonReader json, out long value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetInt64(out value);
        }
    }

    internal readonly struct OfFloat16 : IJsonElementReader<Half>
    {
        public static string Expected => "numbers of at most 65504";

        public static bool TryRead(ref Utf8JsonReader json, out Half value)
        {
            value = default;
            if (json.TokenType != JsonTokenType.Number || !json.TryGetDouble(out var wide))
                return false;
            value = (Half)wide;
            return Half.IsFinite(value);
        }
    }

    internal readonly struct OfBFloat16 : IJsonElementReader<BFloat16>
    {
        public static string Expected => "numbers of at most 3.3895e38";

        public static bool TryRead(ref Utf8JsonReader json, out BFloat16 value)
        {
            value = default;
            if (json.TokenType != JsonTokenType.Number || !json.TryGetSingle(out var wide))
                return false;
            value = (BFloat16)wide;
            return float.IsFinite(value);
        }
    }

    internal readonly struct OfFloat32 : IJsonElementReader<float>
    {
        public static string Expected => "numbers of at most 3.4028235e38";

        public static bool TryRead(ref Utf8JsonReader json, out float value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetSingle(out value) && float.IsFinite(value);
        }
    }

    internal readonly struct OfFloat64 : IJsonElementReader<double>
    {
        public static string Expected => "numbers of at most 1.7976931348623157e308";

        public static bool TryRead(ref Utf8JsonReader json, out double value)
        {
            value = 0;
            return json.TokenType == JsonTokenType.Number && json.TryGetDouble(out value) && double.IsFinite(value);
        }
    }

    internal readonly struct OfString : IJsonElementReader<string>
    {
        public static string Expected => "strings";

        public static bool TryRead(ref Utf8JsonReader json, out string value)
        {
            value = json.TokenType == JsonTokenType.String ? json.GetString()! : "";
            return json.TokenType == JsonTokenType.String;
        }
    }
}
