using System.Text.Json;

namespace Serve.Inference.Rest;

/// <summary>Writes a tensor's elements as JSON values, flat, in row-major order.</summary>
internal static class JsonTensorWriter
{
    public static void Write(Utf8JsonWriter json, string name, Tensor tensor)
    {
        switch (tensor)
        {
            case Tensor<bool> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteBooleanValue(value);
                break;
            case Tensor<byte> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue((uint)value);
                break;
            case Tensor<ushort> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue((uint)value);
                break;
            case Tensor<uint> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(value);
                break;
            case Tensor<ulong> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(value);
                break;
            case Tensor<sbyte> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue((int)value);
                break;
            case Tensor<short> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue((int)value);
                break;
            case Tensor<int> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(value);
                break;
            case Tensor<long> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(value);
                break;
            default:
                WriteOther(json, name, tensor);
                break;
        }
    }

    private static void WriteOther(Utf8JsonWriter json, string name, Tensor tensor)
    {
        var index = 0;
        switch (tensor)
        {
            case Tensor<Half> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(Finite((float)value, name, index++));
                break;
            case Tensor<BFloat16> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(Finite(value, name, index++));
                break;
            case Tensor<float> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(Finite(value, name, index++));
                break;
            case Tensor<double> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteNumberValue(Finite(value, name, index++));
                break;
            case Tensor<string> typed:
                foreach (var value in typed.Values.Span)
                    json.WriteStringValue(value);
                break;
            default:
                throw new NotSupportedException($"{tensor} cannot be written.");
        }
    }

    private static float Finite(float value, string name, int index) => float.IsFinite(value) ? value : throw NotFinite(name, index, value);

    private static double Finite(double value, string name, int index) => double.IsFinite(value) ? value : throw NotFinite(name, index, value);

    private static BadInputException NotFinite(string name, int index, double value) => new(string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"output '{name}': element {index} is {value}, which JSON cannot say; ask for the output with the parameter binary_data."));
}
