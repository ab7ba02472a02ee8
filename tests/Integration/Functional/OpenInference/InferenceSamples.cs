using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Inference;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>A request with two elements of every datatype for the model <c>types</c>, in each form of the protocol.</summary>
internal static class InferenceSamples
{
    /// <summary>Pixels of the digit three.</summary>
    public const string Three = "[0,1,10,13,16,10,1,0,1,5,16,12,10,14,10,0,2,0,0,3,4,14,9,2,0,1,2,16,16,16,0,0,0,0,2,4,9,14,9,2,0,4,8,5,4,16,10,1,0,7,16,16,15,15,1,0,0,0,1,2,4,5,0,0]";

    public const string DigitsRequest = $$"""{"inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","data":{{Three}}}]}""";

    /// <summary>Datatype, the elements as JSON, and as bytes.</summary>
    public static readonly (string Datatype, string Json, byte[] Bytes)[] All =
    [
        ("BOOL", "[true,false]", [1, 0]),
        ("UINT8", "[0,255]", [0, 255]),
        ("UINT16", "[1,65535]", [1, 0, 255, 255]),
        ("UINT32", "[1,4294967295]", [1, 0, 0, 0, 255, 255, 255, 255]),
        ("UINT64", "[1,18446744073709551615]", [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("INT8", "[-128,127]", [128, 127]),
        ("INT16", "[-32768,32767]", [0, 128, 255, 127]),
        ("INT32", "[-2147483648,2147483647]", [0, 0, 0, 128, 255, 255, 255, 127]),
        ("INT64", "[-9223372036854775808,9223372036854775807]", [0, 0, 0, 0, 0, 0, 0, 128, 255, 255, 255, 255, 255, 255, 255, 127]),
        ("FP16", "[0.5,-65504]", [0, 0x38, 255, 0xFB]),
        ("BF16", "[0.5,-2]", [0, 0x3F, 0, 0xC0]),
        ("FP32", "[0.1,-2]", [.. BitConverter.GetBytes(0.1f), .. BitConverter.GetBytes(-2f)]),
        ("FP64", "[0.1,-2]", [.. BitConverter.GetBytes(0.1), .. BitConverter.GetBytes(-2d)]),
        ("BYTES", """["","größer"]""", [0, 0, 0, 0, 8, 0, 0, 0, .. Encoding.UTF8.GetBytes("größer")]),
    ];

    public static string Input((string Datatype, string Json, byte[] Bytes) sample, bool binary) =>
        $$"""{"name":"in_{{Name(sample.Datatype)}}","shape":[2],"datatype":"{{sample.Datatype}}",{{(binary ? $"\"parameters\":{{\"binary_data_size\":{sample.Bytes.Length}}}" : $"\"data\":{sample.Json}")}}}""";

    public static string Request(bool binary, bool binaryOutput = false) =>
        $$"""{"id":"all","parameters":{"binary_data_output":{{(binaryOutput ? "true" : "false")}}},"inputs":[{{string.Join(",", All.Select(sample => Input(sample, binary)))}}]}""";

    public static byte[] Binary() => [.. All.SelectMany(sample => sample.Bytes)];

    public static ModelInferRequest Raw()
    {
        var request = Head();
        request.RawInputContents.AddRange(All.Select(sample => ByteString.CopyFrom(sample.Bytes)));
        return request;
    }

    /// <summary>The request with typed contents, which FP16 and BF16 do not have.</summary>
    public static ModelInferRequest.Types.InferInputTensor Typed((string Datatype, string Json, byte[] Bytes) sample) =>
        new() { Name = "in_" + Name(sample.Datatype), Datatype = sample.Datatype, Shape = { 2 }, Contents = Contents(sample.Datatype, JsonNode.Parse(sample.Json)!.AsArray()) };

    /// <summary>Typed contents of a datatype.</summary>
    public static InferTensorContents Contents(string datatype, JsonArray elements)
    {
        var contents = new InferTensorContents();
        foreach (var value in elements)
        {
            switch (datatype)
            {
                case "BOOL":
                    contents.BoolContents.Add((bool)value!);
                    break;
                case "INT8" or "INT16" or "INT32":
                    contents.IntContents.Add((int)value!);
                    break;
                case "INT64":
                    contents.Int64Contents.Add((long)value!);
                    break;
                case "UINT8" or "UINT16" or "UINT32":
                    contents.UintContents.Add((uint)value!);
                    break;
                case "UINT64":
                    contents.Uint64Contents.Add((ulong)value!);
                    break;
                case "FP32":
                    contents.Fp32Contents.Add((float)value!);
                    break;
                case "FP64":
                    contents.Fp64Contents.Add((double)value!);
                    break;
                case "BYTES":
                    contents.BytesContents.Add(ByteString.CopyFromUtf8((string)value!));
                    break;
            }
        }

        return contents;
    }

    public static ModelInferRequest Digits(string? version = null)
    {
        return new()
        {
            ModelName = "digits",
            ModelVersion = version ?? "",
            Id = "7",
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "pixels", Datatype = "FP32", Shape = { 1, 64 }, Contents = Contents("FP32", JsonNode.Parse(Three)!.AsArray()) } },
        };
    }

    public static string Name(string datatype) => datatype.ToLowerInvariant();

    private static ModelInferRequest Head()
    {
        var request = new ModelInferRequest { ModelName = "types", Id = "all" };
        foreach (var sample in All)
            request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = "in_" + Name(sample.Datatype), Datatype = sample.Datatype, Shape = { 2 } });
        return request;
    }
}
